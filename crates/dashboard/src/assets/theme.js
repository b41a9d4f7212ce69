// The chosen theme, before anything is painted; without a choice, the system's.
try {
  const theme = localStorage.getItem("theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden: then the system's theme it is.
}
