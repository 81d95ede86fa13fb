/** What a check of the self-test comes to: a sentence either way. */
export type Finding = { failed: string } | { ok: string };
