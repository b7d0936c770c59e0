// Documents that are dropped on the page, or chosen: they come back translated, as downloads.

import {element} from "./boxes.js";
import {ask} from "./server.js";

const rows = document.getElementById("documents");
const chooser = document.getElementById("file");
const TABLE = /\.(csv|tsv)$/i; // formats whose columns have to be named

/**
 * Take documents from now on.
 *
 * @param fieldsOf returns the fields of a request: the languages and the key.
 */
export function takeDocuments(fieldsOf) {
  const take = files => { for (const file of files) begin(file, fieldsOf); };
  document.getElementById("choose").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => { take(chooser.files); chooser.value = ""; });
  const isFile = event => event.dataTransfer?.types.includes("Files");
  document.addEventListener("dragover", event => {
    if (!isFile(event)) return;
    event.preventDefault();
    document.body.classList.add("dropping");
  });
  document.addEventListener("dragleave", event => {
    if (!event.relatedTarget) document.body.classList.remove("dropping");
  });
  document.addEventListener("drop", event => {
    document.body.classList.remove("dropping");
    if (!isFile(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}

/** Offer the endings of documents that the server knows in the dialog of files. */
export function acceptEndings(endings) { chooser.accept = endings.join(","); }

/** A row for a document, which is translated at once, or when its columns have been named. */
function begin(file, fieldsOf) {
  const controller = new AbortController();
  const row = element("li"), end = element("button", "close", "✕");
  end.setAttribute("aria-label", `Remove ${file.name}`);
  end.addEventListener("click", () => { controller.abort(); row.remove(); });
  const show = (...children) => row.replaceChildren(element("span", "", ...children), end);
  rows.append(row);
  if (TABLE.test(file.name)) show(columnsForm(file, columns => translate(columns)));
  else translate([]);

  async function translate(columns) {
    row.classList.remove("bad");
    show(`${file.name}: translating…`);
    const progress = element("progress");
    progress.setAttribute("aria-label", `Translating ${file.name}`);
    row.append(progress);
    try {
      const body = formOf(file, fieldsOf(), columns);
      const {translatedFileUrl} = await ask("translate_file", {body, signal: controller.signal});
      const link = download(translatedFileUrl);
      show(`${file.name}: translated. `, link);
      link.click();
    } catch (failure) {
      if (failure.name === "AbortError") return;
      row.classList.add("bad");
      const again = element("button", "", "Try again");
      again.addEventListener("click", () => translate(columns));
      show(`${file.name} was not translated: ${failure.message} `, again);
    }
  }
}

function formOf(file, fields, columns) {
  const form = new FormData();
  form.append("file", file);
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  for (const column of columns) form.append("columns", column);
  return form;
}

/** A link to the translated document, on this server under whatever name it is reached. */
function download(url) {
  const name = url.slice(url.lastIndexOf("/") + 1), link = element("a", "", "Download");
  link.href = `download_file/${name}`;
  link.download = name.slice(name.indexOf(".") + 1);
  return link;
}

function columnsForm(file, onColumns) {
  const input = element("input"), label = element("label", "", `Columns of ${file.name} to translate: `, input);
  input.placeholder = "names or numbers, as in 2, title";
  input.required = true;
  const form = element("form", "", label, element("button", "", "Translate"));
  form.addEventListener("submit", event => {
    event.preventDefault();
    onColumns(input.value.split(",").map(each => each.trim()));
  });
  return form;
}
