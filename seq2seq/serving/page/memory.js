// What the page remembers: the languages and the API key in the browser's storage, the direction and the text in the
// fragment of the address, which browsers do not send to servers.

const NAME = "seq2seq";
const LONGEST = 50_000; // characters of a fragment; a longer text is kept over a reload, but not in the address

/** What was remembered last: {source, target, key}, each perhaps missing. */
export function remembered() {
  try {
    return JSON.parse(localStorage.getItem(NAME)) ?? {};
  } catch {
    return {}; // no storage, or not ours
  }
}

/** Remember these values for the next visit, beside the others. */
export function remember(values) {
  try {
    localStorage.setItem(NAME, JSON.stringify({...remembered(), ...values}));
  } catch { /* a browser without storage forgets them */ }
}

/** What the address says: {source, target, text}, each perhaps missing. */
export function addressed() {
  const fields = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return {...(typeof history.state?.text === "string" ? {text: history.state.text} : {}), ...fields};
}

/** Put the direction and the text into the address. */
export function putAddress(source, target, text) {
  const fields = new URLSearchParams({source, target, ...(text && {text})});
  const long = fields.toString().length > LONGEST;
  if (long) fields.delete("text");
  try {
    history.replaceState(long ? {text} : null, "", `#${fields}`);
  } catch { /* the browser allows no further change at the moment */ }
}
