// The page: what is typed is translated, and remembered.

import * as boxes from "./boxes.js";
import {writeClipboard} from "./clipboard.js";
import {acceptEndings, takeDocuments} from "./documents.js";
import {AUTO, Languages} from "./languages.js";
import {addressed, putAddress, remember, remembered} from "./memory.js";
import * as panel from "./panel.js";
import {joined, Pieces} from "./pieces.js";
import {ask} from "./server.js";
import {grouped, partsOf} from "./text.js";

const [source, target, count, clear, copy, progress, problem, status, key] = [
  "source", "target", "count", "clear", "copy", "progress", "problem", "status", "key",
].map(id => document.getElementById(id));

const SENT = 1500; // characters of a request
const SAMPLE = 2000; // characters that the language is detected by
const PAUSE = 250; // milliseconds without typing until the text is translated

const languages = new Languages();
const pieces = new Pieces();
let longest = 100_000; // characters of a request that the server takes
let parts = [];
let running = new AbortController();
let timer = 0;
let sample = ""; // by which the language was detected

const keyField = () => (key.value ? {api_key: key.value} : {});
const fields = () => ({source: languages.source, target: languages.target, ...keyField()});

// ---- translation ----------------------------------------------------------------------------------------------------

/** Translate what is typed, as far as it is not translated yet. */
async function translate() {
  clearTimeout(timer);
  running.abort();
  const controller = running = new AbortController();
  showText();
  showProblem("");
  try {
    setBusy(parts.some(part => !part.pieces));
    await detect(controller.signal);
    putAddress(languages.chosen, languages.target, source.value);
    remember({source: languages.chosen, target: languages.target});
    showText();
    await translateParts(controller.signal);
    boxes.showTarget(parts);
  } catch (failure) {
    if (controller === running && failure.name !== "AbortError") {
      boxes.showTarget(parts); // not the translation of an earlier text
      showProblem(failure.message, translate);
    }
  }
  if (controller === running) setBusy(false);
}

/** A text without halves of characters, which cannot be sent. */
function wellFormed(text) { return text.toWellFormed?.() ?? text; }

/** Show what is typed, with what is known of it. */
function showText() {
  parts = partsOf(wellFormed(source.value), longest);
  pieces.fill(parts);
  boxes.showSource(parts);
  const characters = [...source.value].length;
  count.textContent = `${characters.toLocaleString("en")} character${characters === 1 ? "" : "s"}`;
  clear.disabled = !source.value;
}

/** Detect the language of the text, if it is to be and the text tells. */
async function detect(signal) {
  const begin = wellFormed(source.value.slice(0, SAMPLE));
  if (languages.chosen !== AUTO || begin === sample || !/\p{L}/u.test(begin)) return;
  const found = await ask("detect", {body: {...keyField(), q: begin}, signal, onWait});
  const before = [languages.source, languages.target];
  languages.detect(found.map(({language}) => language));
  sample = begin;
  if (before.join() !== [languages.source, languages.target].join()) pieces.forget();
}

/** Translate the parts that are not known, in several requests, and show each answer. */
async function translateParts(signal) {
  const texts = [...new Set(parts.filter(part => !part.pieces).map(part => part.text))];
  const groups = grouped(texts, Math.min(SENT, longest));
  const size = group => group.reduce((sum, text) => sum + text.length, 0);
  const all = size(texts);
  let done = 0;
  for (const group of groups) {
    if (groups.length > 1) showProgress(done, all);
    const body = {...fields(), q: group.join("\n"), sentences: true, alignments: true};
    pieces.keep(group, await ask("translate", {body, signal, onWait}), parts);
    done += size(group);
    pieces.fill(parts);
    boxes.showSource(parts);
    boxes.showTarget(parts);
    target.classList.remove("late");
  }
  copy.disabled = !source.value.trim();
}

// ---- what is shown --------------------------------------------------------------------------------------------------

function setBusy(busy) {
  target.setAttribute("aria-busy", String(busy));
  target.classList.toggle("late", busy);
  progress.hidden = !busy;
  if (busy) progress.removeAttribute("value");
}

function showProgress(done, all) {
  progress.max = all;
  progress.value = done;
  say(`${Math.round(100 * done / all)} percent translated`);
}

/** Show what went wrong, beside the translation, and how to try again. */
function showProblem(message, onAgain) {
  problem.replaceChildren();
  problem.className = "";
  if (!message) return;
  const again = boxes.element("button", "", "Try again");
  again.addEventListener("click", () => { source.focus(); onAgain(); });
  problem.append(boxes.element("span", "", `Not translated: ${message}`), again);
}

function onWait(seconds) {
  problem.className = seconds ? "wait" : "";
  problem.replaceChildren(seconds ? `The server takes no more at the moment; this page asks again in ${seconds} s.` : "");
}

/** Tell a screen reader. */
function say(message) { status.textContent = message; }

// ---- what a person does ---------------------------------------------------------------------------------------------

function onType() {
  panel.close();
  boxes.unmark();
  running.abort();
  running = new AbortController();
  showText();
  target.setAttribute("aria-busy", "true");
  clearTimeout(timer);
  timer = setTimeout(translate, source.value ? PAUSE : 0);
}

/** Translate in another direction. */
function changeDirection(from, to, text = source.value) {
  const before = [languages.source, languages.target];
  panel.close();
  if (from !== languages.chosen) sample = "";
  languages.choose(from, to);
  source.value = text;
  if (before.join() !== [languages.source, languages.target].join()) pieces.forget();
  translate();
}

function onChooseSource(event) {
  const chosen = event.target.value;
  changeDirection(chosen, chosen === languages.target ? languages.source : languages.target);
}

function swap() {
  const text = joined(parts);
  changeDirection(languages.target, languages.source, text.trim() ? text : source.value);
}

async function copyTranslation() {
  const copied = await writeClipboard(joined(parts));
  copy.textContent = copied ? "Copied" : "Not copied";
  say(copied ? "The translation is copied" : "The browser does not allow copying; select the text and copy it");
  setTimeout(() => { copy.textContent = "Copy"; }, 1500);
}

function markUnderPointer(event) {
  const word = document.elementsFromPoint(event.clientX, event.clientY).find(each => each.matches?.("#shadow .word"));
  if (word) boxes.markElement(word);
  else boxes.unmark();
}

function markAtCaret() {
  if (document.activeElement === source && source.selectionStart === source.selectionEnd) {
    boxes.markAt(source.selectionStart);
  }
}

function showSentence(made) {
  panel.show(made, fields(), piece => {
    pieces.choose(piece);
    boxes.unmark();
    say(`Chosen: ${piece.translation}`);
  }, failure => showProblem(failure.message, () => showSentence(made)));
}

/** In the translation: arrows go from word to word, Enter shows other translations of the sentence. */
function onKey(event) {
  const made = event.target.closest(".sentence");
  if (!made) return;
  const backward = getComputedStyle(made).direction === "rtl" ? "ArrowRight" : "ArrowLeft";
  if (["ArrowLeft", "ArrowRight"].includes(event.key)) moveWord(made, event.key === backward ? -1 : 1);
  else if (event.key === "Enter" || event.key === " ") showSentence(made);
  else return;
  event.preventDefault();
}

function moveWord(made, step) {
  const all = [...target.querySelectorAll(".word")];
  const marked = made.querySelector(".hit") ?? (step > 0 ? null : made.querySelector(".word:last-of-type"));
  const next = marked ? all[all.indexOf(marked) + step] ?? marked : made.querySelector(".word");
  const sentence = next.closest(".sentence");
  boxes.makeTabStop(sentence);
  sentence.focus();
  const linked = boxes.mark(sentence, [...sentence.querySelectorAll(".word")].indexOf(next));
  next.scrollIntoView({block: "nearest"});
  boxes.reveal(sentence);
  say(linked.length ? `${next.textContent}: ${linked.join(" ")}` : next.textContent);
}

// ---- beginning ------------------------------------------------------------------------------------------------------

function listen() {
  const on = (id, event, act) => document.getElementById(id).addEventListener(event, act);
  on("source", "input", onType);
  on("source", "mousemove", markUnderPointer);
  on("source", "mouseleave", boxes.unmark);
  on("source", "click", markAtCaret);
  document.addEventListener("selectionchange", markAtCaret);
  on("target", "mouseover", event => boxes.markElement(event.target));
  on("target", "mouseleave", boxes.unmark);
  on("target", "keydown", onKey);
  on("target", "click", event => {
    const made = event.target.closest(".sentence");
    if (!made || !getSelection().isCollapsed) return;
    boxes.markElement(event.target);
    boxes.reveal(made);
    showSentence(made);
  });
  on("from", "change", onChooseSource);
  on("to", "change", event => changeDirection(languages.chosen, event.target.value));
  on("swap", "click", swap);
  on("clear", "click", () => { source.value = ""; source.focus(); onType(); });
  on("copy", "click", copyTranslation);
  on("key", "change", () => { remember({key: key.value}); translate(); });
  document.addEventListener("keydown", event => { if (event.key === "Escape") panel.close(); });
  window.addEventListener("hashchange", () => {
    const {source: from, target: to, text} = addressed();
    changeDirection(from, to, text ?? "");
  });
  takeDocuments(() => ({...fields(), source: languages.chosen}));
}

async function begin() {
  try {
    const [list, settings] = await Promise.all([ask("languages"), ask("frontend/settings")]);
    const [address, last] = [addressed(), remembered()];
    if (settings.charLimit > 0) longest = settings.charLimit;
    document.getElementById("key-line").hidden = !settings.keyRequired;
    key.value = settings.keyRequired ? last.key ?? "" : "";
    acceptEndings(settings.supportedFilesFormat);
    const likely = [...navigator.languages.map(code => code.split("-")[0]), settings.language.target.code];
    languages.begin(list, {...last, ...address}, likely);
    source.value ||= address.text ?? "";
    translate();
  } catch (failure) {
    showProblem(failure.message, begin);
  }
}

listen();
begin();
