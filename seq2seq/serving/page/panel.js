// What is known of one sentence, under the translation: its other translations, and its attention on demand.

import {element, makeTabStop, pieceOf, redraw, target} from "./boxes.js";
import {setTranslation} from "./pieces.js";
import {ask} from "./server.js";
import {wordsOf} from "./text.js";

const panel = document.getElementById("panel");
const ALTERNATIVES = 5;
let open = null; // {made, piece, controller}: the sentence's element, its piece, and what ends the request

/** Hide the panel; the focus goes back to the sentence if it was inside. */
export function close() {
  if (!open) return;
  const {made, controller} = open;
  controller.abort();
  made.setAttribute("aria-expanded", "false");
  if (panel.contains(document.activeElement) && made.isConnected) made.focus();
  panel.hidden = true;
  panel.replaceChildren();
  open = null;
}

/**
 * Show other translations of a sentence.
 *
 * @param made the element of the sentence in the translation.
 * @param fields of the request: the languages and the key.
 * @param onChoose is called with the piece when one of them was chosen.
 * @param onFailure is called with the failure of the request.
 */
export async function show(made, fields, onChoose, onFailure) {
  close();
  const piece = pieceOf(made), controller = new AbortController();
  open = {made, piece, controller};
  made.setAttribute("aria-expanded", "true");
  makeTabStop(made);
  panel.hidden = false;
  panel.replaceChildren(top(piece), element("p", "", "Looking for other translations…"));
  try {
    const body = {...fields, q: piece.text, alternatives: ALTERNATIVES};
    const answer = await ask("translate", {body, signal: controller.signal});
    const translations = new Set([piece.best, answer.translatedText, ...answer.alternatives]);
    panel.querySelector("p").replaceWith(list(piece, [...translations], onChoose));
    if (document.activeElement === made) panel.querySelector("li button").focus();
    panel.scrollIntoView({block: "nearest"});
  } catch (failure) {
    if (failure.name === "AbortError") return;
    close();
    onFailure(failure);
  }
}

/** The heading of the panel, with its buttons. */
function top(piece) {
  const attention = element("button", "", "Attention"), end = element("button", "", "Close");
  attention.id = "attention";
  attention.setAttribute("aria-expanded", "false");
  attention.addEventListener("click", () => toggleMap(attention, piece));
  end.addEventListener("click", close);
  const title = element("h2", "", "Translations of the sentence");
  return element("div", "top", title, element("span", "", attention, " ", end));
}

function list(piece, translations, onChoose) {
  const buttons = translations.map(translation => {
    const button = element("button", "", translation);
    button.dir = "auto";
    button.lang = target.lang;
    button.addEventListener("click", () => choose(piece, translation, onChoose));
    return button;
  });
  const made = element("ul", "", ...buttons.map(button => element("li", "", button)));
  press(made, piece);
  return made;
}

/** Show which of the translations stands in the text. */
function press(made, piece) {
  for (const button of made.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(button.textContent === piece.translation));
  }
}

function choose(piece, translation, onChoose) {
  setTranslation(piece, translation);
  redraw(piece);
  press(panel.querySelector("ul"), piece);
  panel.querySelector(".map")?.replaceWith(map(piece));
  onChoose(piece);
}

// ---- attention ------------------------------------------------------------------------------------------------------

function toggleMap(button, piece) {
  const old = panel.querySelector(".map");
  button.setAttribute("aria-expanded", String(!old));
  if (old) old.remove();
  else panel.append(map(piece));
  panel.lastChild.scrollIntoView({block: "nearest"});
}

/** A heat map: a row for each word of the translation, a column for each word of the sentence. */
function map(piece) {
  const made = element("div", "map");
  made.tabIndex = 0;
  made.setAttribute("role", "region");
  made.setAttribute("aria-label", "Attention");
  if (!piece.links.length) {
    made.append("No attention is known for this translation.");
    return made;
  }
  const [source, translation] = [piece.text, piece.translation].map(text => wordsOf(text).filter(({isWord}) => isWord));
  const head = element("tr", "", element("td"), ...source.map(({part}) => header(part, "col")));
  const rows = translation.map(({part}, t) => {
    const cells = source.map((_, s) => cell(piece.links.some(link => link[0] === s && link[1] === t)));
    return element("tr", "", header(part, "row"), ...cells);
  });
  made.append(
    element("p", "", "For each word of the translation, the words that had most of the attention."),
    element("table", "", element("thead", "", head), element("tbody", "", ...rows)),
  );
  return made;
}

function header(text, scope) {
  const made = element("th", "", element("bdi", "", text));
  made.scope = scope;
  return made;
}

function cell(isLinked) {
  return isLinked ? element("td", "hit", element("span", "unseen", "attended")) : element("td");
}
