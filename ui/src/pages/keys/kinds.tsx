import { SwitchLinks } from "../../parts/switch.js";
import { useTexts } from "../../text/texts.js";

/** The two kinds of keys, each with a page. */
export function KeyKinds({ current }: { current: "/keys" | "/keys/litellm" }) {
  const { t } = useTexts();
  return (
    <div className="mb-4">
      <SwitchLinks
        label={t("keys.kinds")}
        links={[
          ["/keys", t("keys.ofService")],
          ["/keys/litellm", t("keys.ofLitellm")],
        ]}
        current={current}
      />
    </div>
  );
}
