"""The names of the graphs' inputs and outputs. Exported model folders have them, so they never change.

    encoder   SRC (B, S), MASK (B, S)
              -> STATE + l (B, N) of each decoder layer l, and the SourceMemory of `seq2seq.network.attention`;
              of an LSTM, whose state is [h; c], STATE + l + ".0" and ".1" (B, H) (in folders of earlier versions one).
              With coverage, STATE + COVERED (B, P) is a state as well, in the decoder (B * W, P).
    decoder   TOKENS (B * W,), TARGET (B * W,), COUNT (1,), STATE + l (B * W, N), the SourceMemory, and for a
              translation memory OTHERS (B * W, U), more tokens as TARGET is one (not in folders of earlier versions)
              -> CANDIDATES, LOG_PROBS (B * W, C), TARGET_LOG_PROBS, SOURCE (B * W, 1), NEXT + STATE + l (B * W, N);
              for the memory FEATURES (B * W, E) of the output layer, and OTHER_LOG_PROBS (B * W, U)

The SourceMemory of a context with attention is KEYS, VALUES, BLOCKED and LINKED (B, 1, P; the latter not in folders of
earlier versions, where SOURCE may be the position of EOS), that of a fixed one FIXED (B, 1, D);
EMBEDDINGS (B, P or 1, E) belong to it in a lexical model, COPIED and FIRST (B, P) in one that copies (`tokens` and
`first` of `seq2seq.network.copying.Copies`). P is S padded to the next multiple of 4 (16 in folders of earlier
versions).
"""

SRC, MASK = "src", "mask"
TOKENS, TARGET, COUNT = "tokens", "asked", "count"
STATE, NEXT, COVERED = "state.", "next.", "covered"
KEYS, VALUES, BLOCKED, LINKED, FIXED, EMBEDDINGS = "keys", "values", "blocked", "linked", "fixed", "words"
COPIED, FIRST = "copied", "first"
CANDIDATES, LOG_PROBS, TARGET_LOG_PROBS, SOURCE = "candidates", "log_probs", "of_asked", "source"
OTHERS, FEATURES, OTHER_LOG_PROBS = "others", "features", "of_others"
