/** What this server speaks of the tus protocol 1.0.0 (tus.io). */
export const PATH = '/uploads';
export const VERSION = '1.0.0';
export const EXTENSIONS = ['creation', 'creation-with-upload', 'expiration', 'termination'];
/** The content type of a PATCH. */
export const PIECE_TYPE = 'application/offset+octet-stream';
