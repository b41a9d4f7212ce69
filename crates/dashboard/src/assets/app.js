// Comfort only: every page can be read without this.
const root = document.documentElement;
const THEMES = ["system", "light", "dark"];
const SIGNS = { system: "◐", light: "☀", dark: "☾" };

function themeSwitch() {
  const button = document.querySelector("button.theme");
  const show = () => {
    const theme = root.dataset.theme ?? "system";
    button.setAttribute("aria-label", `Theme: ${theme}`);
    button.title = `Theme: ${theme}`;
    button.firstElementChild.textContent = SIGNS[theme];
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const theme = THEMES[(THEMES.indexOf(root.dataset.theme ?? "system") + 1) % THEMES.length];
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    try {
      if (theme === "system") localStorage.removeItem("theme");
      else localStorage.setItem("theme", theme);
    } catch {
      // It lasts until the page is left.
    }
    show();
  });
  show();
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    getSelection().selectAllChildren(source);
    said = "Selected";
  }
  const label = button.dataset.label ?? button.textContent;
  button.dataset.label = label;
  button.textContent = said;
  setTimeout(() => { button.textContent = label; }, 1600);
}

function search() {
  const box = document.querySelector("input[data-search]");
  if (!box) return;
  const items = [...document.querySelectorAll("[data-words]")];
  const groups = [...document.querySelectorAll("[data-group]")];
  const status = document.querySelector("[data-found]");
  box.closest("[hidden]")?.removeAttribute("hidden");
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const item of items) {
      item.hidden = !words.every((word) => item.dataset.words.includes(word));
      if (!item.hidden) found += 1;
    }
    for (const group of groups) {
      group.hidden = !group.querySelector("[data-words]:not([hidden])");
    }
    status.textContent = words.length ? `${found} found` : "";
  };
  const links = () => items.filter((item) => !item.hidden).map((item) => item.querySelector("a"));
  box.addEventListener("input", filter);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter") links()[0]?.click();
    if (event.key === "ArrowDown") { event.preventDefault(); links()[0]?.focus(); }
    if (event.key === "Escape") { box.value = ""; filter(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(input|textarea)$/i.test(event.target.tagName)) {
      event.preventDefault();
      box.focus();
    }
    const at = links().indexOf(document.activeElement);
    if (at < 0) return;
    if (event.key === "ArrowDown") { event.preventDefault(); links()[at + 1]?.focus(); }
    if (event.key === "ArrowUp") { event.preventDefault(); (links()[at - 1] ?? box).focus(); }
  });
  filter();
}

// A deep link may lead into something folded.
function unfold() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) {
    if (at.tagName === "DETAILS") at.open = true;
  }
  target?.scrollIntoView();
}

// Beside the content, the list of routes begins where one is.
function showCurrent() {
  const list = document.querySelector(".contents");
  const current = list?.querySelector("[aria-current]");
  if (current && getComputedStyle(list).position === "sticky") {
    list.scrollTop = current.offsetTop - list.clientHeight / 2;
  }
}

themeSwitch();
showCurrent();
search();
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", () => copy(button));
}
if (location.hash) unfold();
addEventListener("hashchange", unfold);
