import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { RouterProvider } from "react-router/dom";
import { createQueries } from "../api/queries.js";
import { Announcer } from "../parts/announcer.js";
import { createRouter } from "./router.js";

export function App() {
  const [queries] = useState(createQueries);
  const [router] = useState(() => createRouter(queries));
  return (
    <QueryClientProvider client={queries}>
      <Announcer>
        <RouterProvider router={router} />
      </Announcer>
    </QueryClientProvider>
  );
}
