// The languages of the models, and which of them are chosen.

const from = document.getElementById("from"), to = document.getElementById("to");
const swap = document.getElementById("swap");
export const AUTO = "auto";

const byName = (a, b) => a.name.localeCompare(b.name, "en");

/** The direction of the page: what is chosen, and what was detected. */
export class Languages {
  constructor() {
    this.byCode = new Map(); // code: {code, name, targets}
    this.chosen = AUTO; // the language to translate from
    this.target = ""; // the language to translate to
    this.detected = null; // the language of the text, where it is to be detected
    this.recent = []; // targets, the last used first
  }

  /** Take what the server knows; choose what is wished for if it is there, or else detection and a likely target. */
  begin(languages, wished, likely) {
    this.byCode = new Map(languages.map(each => [each.code, each]));
    this.recent = [...likely, ...languages.flatMap(each => each.targets)].filter(code => this.sourcesOf(code).length);
    from.replaceChildren(new Option("Detect language", AUTO));
    const sources = languages.filter(each => each.targets.length);
    for (const {code, name} of sources.sort(byName)) from.add(new Option(name, code));
    this.choose(wished.source, wished.target);
  }

  sourcesOf(target) { return [...this.byCode.values()].filter(each => each.targets.includes(target)); }

  targetsOf(source) {
    const all = [...this.byCode.keys()].filter(code => this.sourcesOf(code).length);
    return source === AUTO ? all : this.byCode.get(source).targets;
  }

  /** The language that is translated from; detected, or else the first that can be translated to the target. */
  get source() {
    return this.chosen === AUTO ? this.detected ?? this.sourcesOf(this.target)[0].code : this.chosen;
  }

  nameOf(code) { return this.byCode.get(code)?.name ?? code; }

  /** Choose a direction; where there is no such one, the target that was used last. */
  choose(source, target) {
    this.chosen = this.byCode.get(source)?.targets.length ? source : AUTO;
    if (this.chosen !== AUTO) this.detected = null;
    this.setTarget(target, this.targetsOf(this.chosen));
    this.show();
  }

  /** The target if it is one of those possible, or else that of them that was used last. */
  setTarget(target, possible) {
    this.target = possible.includes(target) ? target : this.recent.find(code => possible.includes(code)) ?? possible[0];
    this.recent = [...new Set([this.target, ...this.recent])];
  }

  /**
   * Take the languages that the text may be in, most probable first. A text that turns out to be in the language that
   * it is translated to is translated to another one.
   */
  detect(codes) {
    const known = codes.filter(code => this.byCode.get(code)?.targets.length);
    const before = this.detected;
    const fits = code => code === this.target || this.byCode.get(code).targets.includes(this.target);
    this.detected = known.find(fits) ?? null;
    if (this.detected === this.target && this.detected !== before) this.setTarget(null, this.targetsOf(this.detected));
    this.show();
  }

  canSwap() { return this.byCode.get(this.target)?.targets.includes(this.source) ?? false; }

  /** Show what is chosen and what was detected, and set the languages of the texts. */
  show() {
    const targets = this.targetsOf(this.chosen).map(code => ({code, name: this.nameOf(code)}));
    const option = ({code, name}) => new Option(name, code, false, code === this.target);
    to.replaceChildren(...targets.sort(byName).map(option));
    from.value = this.chosen;
    from.options[0].text = this.detected ? `${this.nameOf(this.detected)} (detected)` : "Detect language";
    swap.disabled = !this.canSwap();
    document.getElementById("source").lang = this.source;
    document.getElementById("target").lang = this.target;
  }
}
