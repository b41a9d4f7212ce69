// Comfort only: every page can be read without this.
const root = document.documentElement;
const THEMES = ["system", "light", "dark"];
const SIGNS = { system: "◐", light: "☀", dark: "☾" };

function themeSwitch() {
  const button = document.querySelector("button.theme");
  // A page with nothing around it has none.
  if (!button) return;
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

// How long ago, in the largest unit that says it well.
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? UNITS.at(-1);
  return AGO.format(Math.round(seconds / length), unit);
}

// The server writes UTC; here it becomes the reader's own zone, and how long ago.
const ZONED = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

// On the axes of plots: the clock, the day, or both.
const CLOCKS = {
  clock: new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" }),
  day: new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric" }),
  both: new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }),
};

function moments(within = document) {
  for (const time of within.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (isNaN(date)) continue;
    if (time.dataset.clock) {
      time.textContent = CLOCKS[time.dataset.clock].format(date);
      continue;
    }
    time.title = `${ZONED.format(date)} (${time.dateTime})`;
    time.textContent = ago(date);
  }
}

// What bears data-live is replaced whenever the server sends the page anew. What was opened stays open, and whoever types or
// selects is not disturbed.
function keepUp() {
  const parts = () => [...document.querySelectorAll("[data-live][id]")];
  if (!parts().length || !("EventSource" in window)) return;
  let source, latest;
  const open = () => {
    source = new EventSource(location.pathname + location.search);
    source.onmessage = (event) => {
      latest = new DOMParser().parseFromString(event.data, "text/html");
      show(latest);
    };
  };
  const show = (page) => {
    for (const old of parts()) {
      const fresh = page.getElementById(old.id);
      if (!fresh || fresh.innerHTML === old.dataset.seen) continue;
      if (old.contains(document.activeElement) || old.contains(getSelection().anchorNode) && !getSelection().isCollapsed) continue;
      const html = fresh.innerHTML;
      const folds = [...old.querySelectorAll("details")].map((fold) => fold.open);
      const next = document.importNode(fresh, true);
      const later = [...next.querySelectorAll("details")];
      if (later.length === folds.length) later.forEach((fold, at) => { fold.open = folds[at]; });
      next.dataset.seen = html;
      old.replaceWith(next);
      comforts(next);
    }
  };
  document.addEventListener("visibilitychange", () => {
    source?.close();
    if (!document.hidden) open();
  });
  addEventListener("pagehide", () => source?.close());
  // What was left alone because somebody was at it.
  setInterval(() => { if (latest) show(latest); }, 2000);
  open();
}

// A menu closes by Escape, and when one clicks elsewhere.
function menus() {
  const close = (but) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (menu !== but) menu.open = false;
    }
  };
  document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.activeElement?.closest("details.menu[open]");
    close();
    menu?.querySelector("summary").focus();
  });
}

// A long list of boxes is searched; what is ticked stays in sight.
function ticks() {
  for (const list of document.querySelectorAll("[data-ticks]")) {
    const box = list.querySelector("input[type=search]");
    const status = list.querySelector("[role=status]");
    const labels = [...list.querySelectorAll("label")];
    box.parentElement.hidden = false;
    box.addEventListener("input", () => {
      const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
      const isFound = (label) => words.every((word) => label.dataset.words.includes(word));
      for (const label of labels) label.hidden = !isFound(label) && !label.querySelector("input").checked;
      for (const group of list.querySelectorAll("[data-group]")) group.hidden = !group.querySelector("label:not([hidden])");
      status.textContent = words.length ? `${labels.filter(isFound).length} found` : "";
    });
    // It would send the form.
    box.addEventListener("keydown", (event) => { if (event.key === "Enter") event.preventDefault(); });
  }
}

// The numbers of a period are told where one points at, or goes to by the arrow keys: they stand in the table below the plots.
function plots(within) {
  for (const plot of within.querySelectorAll("figure.plot")) {
    const rows = plot.closest("[id]").querySelectorAll(".numbers tbody tr");
    if (!rows.length) continue;
    const picture = plot.querySelector("svg[role=img]");
    const mark = document.createElementNS(picture.namespaceURI, "line");
    const told = document.createElement("p");
    let at = rows.length;
    mark.classList.add("mark");
    mark.setAttribute("y1", 0);
    mark.setAttribute("y2", "100%");
    told.className = "readout";
    told.setAttribute("aria-live", "polite");
    plot.append(told);
    picture.setAttribute("tabindex", "0");
    const tell = (next) => {
      at = Math.max(0, Math.min(rows.length - 1, next));
      const cells = [...rows[at].cells].filter((cell) => !cell.matches(".waiting"));
      const [from, delivered, failed, given, ...times] = cells.map((cell) => cell.textContent);
      const waiting = rows[at].querySelector(".waiting");
      const until = times[0] && ` Until delivered: ${times.slice(0, 3).join(", ")}; accepted attempt: ${times.slice(3).join(", ")} (p50, p95, p99).`;
      told.textContent = `${from}: ${delivered} delivered, ${failed} failed attempts, ${given} given up.${waiting ? ` At most ${waiting.textContent} waited.` : ""}${until}`;
      for (const name of ["x1", "x2"]) mark.setAttribute(name, `${(at + 0.5) / rows.length * 100}%`);
      picture.append(mark);
    };
    const silent = () => { mark.remove(); told.textContent = ""; };
    picture.addEventListener("pointermove", (event) => {
      const { left, width } = picture.getBoundingClientRect();
      tell(Math.floor((event.clientX - left) / width * rows.length));
    });
    picture.addEventListener("pointerleave", silent);
    picture.addEventListener("blur", silent);
    picture.addEventListener("keydown", (event) => {
      const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: rows.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      tell(next);
    });
  }
}

function comforts(within) {
  moments(within);
  plots(within);
  for (const button of within.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

themeSwitch();
showCurrent();
search();
menus();
ticks();
comforts(document);
keepUp();
setInterval(() => moments(), 20000);
if (location.hash) unfold();
addEventListener("hashchange", unfold);
document.querySelector(".notice.bad a[href^='#']")?.focus();
