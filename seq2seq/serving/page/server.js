// Requests to the server that sent this page. Its interface is described at /docs.

const TRIES = 4;
const LONGEST_WAIT = 60; // seconds that the server may ask to wait

/** A request that the server refused, or that never reached it; its message is for people. */
export class Failure extends Error {}

/**
 * The answer to a request, as JSON. Where the server is busy and says when to try again, it is asked again then.
 *
 * @param path relative to the page.
 * @param options body: a FormData, or fields that are sent as JSON; signal: ends the request;
 *   onWait: is called with the seconds that are waited, and with 0 afterwards.
 * @throws {Failure} the request failed; a DOMException AbortError if `signal` ended it.
 */
export async function ask(path, {body, signal, onWait = () => {}} = {}) {
  for (let tries = 1; ; tries++) {
    const response = await send(path, body, signal);
    const answer = await response.json().catch(error => {
      if (signal?.aborted) throw error;
      return {};
    });
    signal?.throwIfAborted();
    if (response.ok) return answer;
    const seconds = Number(response.headers.get("Retry-After"));
    const again = [429, 503].includes(response.status) && seconds > 0 && seconds <= LONGEST_WAIT && tries < TRIES;
    if (!again) throw new Failure(answer.error ?? `the server answered ${response.status} ${response.statusText}`);
    onWait(seconds);
    await pause(seconds * 1000, signal);
    onWait(0);
  }
}

async function send(path, body, signal) {
  const sent = body === undefined ? {} : {method: "POST", body: body instanceof FormData ? body : JSON.stringify(body)};
  try {
    return await fetch(path, {...sent, signal});
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure("the server cannot be reached; is it still running?");
  }
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, {once: true});
  });
}
