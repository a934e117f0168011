import { ChevronLeft, ChevronRight } from "lucide-react";
import { type ComponentProps, type ReactNode, useEffect, useRef, useState } from "react";

interface Hidden {
  before: boolean;
  after: boolean;
}

interface ScrollBoxProps extends ComponentProps<"div"> {
  /** Which of its parts is `aria-current`: that one is brought into view. */
  current?: string;
}

/** Wide enough that the fading edge leaves it readable. */
const edge = 40;

/** What may be wider than the screen: it scrolls in its own box, and its edges show where there is more. */
export function ScrollBox({ className = "", children, current, ...rest }: ScrollBoxProps) {
  const box = useRef<HTMLDivElement>(null);
  const [hidden, setHidden] = useState<Hidden>({ before: false, after: false });
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const look = () => {
      const { scrollLeft: from, clientWidth: width, scrollWidth: whole } = element;
      // Zoomed, the sums of widths are not whole pixels.
      const next = { before: from > 1, after: from + width < whole - 1 };
      setHidden((now) => (now.before === next.before && now.after === next.after ? now : next));
    };
    const sizes = new ResizeObserver(look);
    for (const each of [element, ...element.children]) sizes.observe(each);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      sizes.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  useEffect(() => {
    const [all, part] = [box.current, box.current?.querySelector("[aria-current]")];
    if (current === undefined || all == null || part == null) return;
    // Not by scrollIntoView, which would also scroll the page back from where a link leads to.
    const [whole, place] = [all.getBoundingClientRect(), part.getBoundingClientRect()];
    all.scrollLeft += Math.min(0, place.left - edge - whole.left) + Math.max(0, place.right + edge - whole.right);
  }, [current]);
  return (
    <div className="relative">
      <div {...rest} ref={box} className={`overflow-x-auto ${className}`}>
        {children}
      </div>
      {hidden.before && (
        <Edge className="left-0 justify-start rounded-l-lg bg-linear-to-r">
          <ChevronLeft className="size-4" />
        </Edge>
      )}
      {hidden.after && (
        <Edge className="right-0 justify-end rounded-r-lg bg-linear-to-l">
          <ChevronRight className="size-4" />
        </Edge>
      )}
    </div>
  );
}

/** Only for the eye: the keyboard and screen readers reach what is hidden as it is. */
function Edge({ className, children }: { className: string; children: ReactNode }) {
  return (
    <div
      aria-hidden
      data-more
      className={`pointer-events-none absolute inset-y-px flex w-10 items-start py-2.5 from-canvas from-40% to-transparent text-muted ${className}`}
    >
      {children}
    </div>
  );
}
