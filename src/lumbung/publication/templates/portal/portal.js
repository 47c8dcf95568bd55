// An edition whose day has passed is late; the page itself was made before that day.
for (const notice of document.querySelectorAll("[data-after]")) {
  notice.hidden = Date.now() < Date.parse(notice.dataset.after);
}

// Tables with data-filter get a field that hides rows; without scripts all rows are shown.
for (const table of document.querySelectorAll("table[data-filter]")) {
  const rows = [...table.tBodies[0].rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  if (rows.length < 4) continue;
  const label = document.createElement("label");
  const field = document.createElement("input");
  const status = document.createElement("output");
  field.type = "search";
  label.className = "filter";
  label.append(table.dataset.filter, field);
  label.after(status);
  field.addEventListener("input", () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, n) => {
      row.hidden = !words.every((word) => texts[n].includes(word));
      shown += !row.hidden;
    });
    status.textContent = words.length
      ? table.dataset.shown.replace("{shown}", shown).replace("{total}", rows.length)
      : "";
  });
  const box = document.createElement("div");
  box.className = "filters";
  box.append(label, status);
  table.closest(".scroll").before(box);
}
