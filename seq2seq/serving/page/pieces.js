// What is known of the parts of texts in one direction: their pieces, and the translations that a person chose.
//
// A piece is {text, translation, best, links, bestLinks}: a sentence or what stands between two, the translation that
// is shown and the model's best, and pairs of word numbers of the text and each of them. Knows no page and no server.

const MOST = 5000; // parts whose pieces are kept

export class Pieces {
  constructor() { this.forget(); }

  /** Forget everything: the direction has changed. */
  forget() {
    this.known = new Map(); // by the text of the part
    this.choices = new Map(); // by the text of the sentence
  }

  /** Give each part its pieces, if they are known. */
  fill(parts) {
    for (const part of parts) part.pieces = part.text.trim() ? this.known.get(part.text) : this.blank(part.text);
  }

  blank(text) {
    if (!this.known.has(text)) this.known.set(text, text ? [this.piece(text, text, [])] : []);
    return this.known.get(text);
  }

  /**
   * Keep the server's answer for parts that were sent together, one a line; only these parts if many are known.
   * Its alignments are those of each line of a sentence, which has one; or of none, if nothing had to be translated.
   */
  keep(texts, answer, parts) {
    const lines = [[]];
    answer.sentences.forEach((text, i) => {
      if (text === "\n") lines.push([]);
      else lines.at(-1).push(this.piece(text, answer.translatedText[i], answer.alignments[i][0] ?? []));
    });
    if (this.known.size > MOST) {
      this.known = new Map(parts.filter(part => part.pieces).map(part => [part.text, part.pieces]));
    }
    texts.forEach((text, i) => this.known.set(text, lines[i] ?? []));
  }

  piece(text, translated, links) {
    const best = text.trim() || !text ? translated : text;  // "": between two sentences
    const piece = {text, best, translation: best, links, bestLinks: links};
    if (this.choices.has(text)) setTranslation(piece, this.choices.get(text));
    return piece;
  }

  /** Remember what was chosen for a sentence, for when it is typed again. */
  choose(piece) { this.choices.set(piece.text, piece.translation); }
}

/** Put a translation in the place of the best one; alignments are known of the best one only. */
export function setTranslation(piece, translation) {
  piece.translation = translation;
  piece.links = translation === piece.best ? piece.bestLinks : [];
}

/** The translation of a text, as far as it is known. */
export function joined(parts) {
  const of = part => part.pieces?.map(piece => piece.translation).join("") ?? "";
  return parts.map(part => of(part) + part.end).join("");
}
