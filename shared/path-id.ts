/**
 * Ids that stand in addresses. `.` and `..` are none of them: whoever makes an address takes these two out of it (RFC 3986 §5.2.4), also where they are written
 * `%2E` (the URL standard), so what is kept under them could never be asked for.
 */
export const PATH_ID_PATTERN = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/;
/** The pattern in words. */
export const PATH_ID_RULE = "1 to 64 of A-Z a-z 0-9 . _ -, but neither . nor .. alone";
