"use strict";
// Before the first paint: the link's theme, else the reader's own, else the system's.
(() => {
  let theme = new URLSearchParams(location.hash.slice(1)).get("theme");
  try { theme = theme || localStorage.getItem("soundproof-theme"); } catch { /* no storage for this file */ }
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
})();
