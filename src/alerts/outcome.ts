/** What became of one attempt to tell a receiver something. */
export type Outcome =
  | { readonly kind: 'taken'; readonly answer: string }
  /** Another attempt may do better. */
  | { readonly kind: 'failed'; readonly problem: string; readonly answer: string; readonly retryAfterMs: number | null }
  /** None will. */
  | { readonly kind: 'refused'; readonly problem: string; readonly answer: string };

/** What of an answer, or of a command's output, is kept. */
export const MOST_ANSWER_BYTES = 4_096;

/** The first so many bytes of a stream, as text; what comes afterwards is counted and let go. */
export interface BoundedText {
  add(chunk: Buffer): void;
  readonly text: string;
}

export const boundedText = (most = MOST_ANSWER_BYTES): BoundedText => {
  const chunks: Buffer[] = [];
  let kept = 0;
  let all = 0;
  return {
    add(chunk) {
      all += chunk.length;
      if (kept === most) return;
      const part = chunk.subarray(0, most - kept);
      chunks.push(part);
      kept += part.length;
    },
    get text() {
      const said = Buffer.concat(chunks).toString('utf8').trim();
      return all > kept ? `${said}… (${all} bytes)` : said;
    },
  };
};
