import { setNonce } from "get-nonce";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/app.js";
import { applyTheme, storedTheme } from "./app/theme.js";
import { fromPage } from "./app/page.js";
import { startTexts } from "./text/texts.js";
import "./style.css";

// The style that keeps the page still behind a dialog needs it under the content policy.
setNonce(fromPage("csp-nonce"));
applyTheme(storedTheme());
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
try {
  await startTexts();
} catch (error) {
  root.className = "failed";
  throw error;
}

createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
