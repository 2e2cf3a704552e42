/** What the routes of uploads take and answer, for validation and the published documents. */
import Type from 'typebox';
import { File, Media } from '../../shared/contract/documents.ts';
import { file, LATER, MEDIA, media } from '../../shared/contract/examples.ts';
import { Closed, Id, NoBody, Raw, Timestamp } from '../../shared/contract/values.ts';
import type { Kind } from './documents/kinds.ts';
import { PIECE_TYPE } from './tus/protocol.ts';

const params = Closed({ id: Id });
const querystring = Closed({ token: Type.Optional(Type.String({ maxLength: 4096 })) });
const Link = Type.Object({ url: Type.String(), expires_at: Timestamp });

const WHAT = { media: 'an image, sound or film', file: 'a file' };
const ANSWER = {
  media: { schema: Type.Object({ media: Media }), example: { answer: { media } } },
  file: { schema: Type.Object({ file: File }), example: { answer: { file } } },
};

/** Whole, in part, or as the client has it already. */
const bytes = (mediaType: string) => ({
  200: Raw(mediaType, 'All of it.'),
  206: Raw(mediaType, 'The range that was asked for.'),
  304: NoBody,
  416: Raw('application/json', 'The range begins beyond the end: `validation_failed`.'),
});

/** The routes of one kind of uploads. */
export function schemasOf(kind: Kind['name']) {
  const { schema, example } = ANSWER[kind];
  return {
    post: {
      summary: `Uploads ${WHAT[kind]}: a form with the one part \`file\`.`,
      consumes: ['multipart/form-data'],
      response: { 201: schema },
      example,
    },
    bytes: {
      summary: `The bytes of ${WHAT[kind]}, to those who may read it; whole or a range.`,
      params,
      querystring,
      response: bytes('*/*'),
    },
    info: { summary: `What is known of ${WHAT[kind]}.`, params, response: { 200: schema }, example },
    link: {
      summary: `A link to ${WHAT[kind]} that needs no further authentication, for ten minutes.`,
      params,
      response: { 200: Link },
      example: {
        answer: {
          url: `https://chat.example.com/${kind === 'media' ? 'media' : 'files'}/${MEDIA}?token=eyJhbGciOi`,
          expires_at: LATER,
        },
      },
    },
    remove: { summary: `Deletes ${WHAT[kind]} of one's own.`, params, response: { 204: NoBody } },
  };
}

export const thumbnailSchema = {
  summary: 'A small picture in WebP, where there is one.',
  params,
  querystring,
  response: bytes('image/webp'),
};

/** For the documents alone: the tus server reads what comes. */
export const tusSchemas = {
  begin: {
    summary: 'Begins a resumable upload by `Upload-Length` and `Upload-Metadata`; `Location` says where it goes on.',
    response: { 201: NoBody },
  },
  append: {
    summary: 'The next bytes, from `Upload-Offset` on.',
    consumes: [PIECE_TYPE],
    response: { 204: NoBody },
    errors: ['not_found', 'conflict'] as const,
  },
  offset: {
    summary: 'How much has arrived, in `Upload-Offset`.',
    response: { 200: NoBody },
    errors: ['not_found'] as const,
  },
  abandon: { summary: 'Gives an unfinished upload up.', response: { 204: NoBody }, errors: ['not_found'] as const },
  describe: { summary: 'What of the tus protocol is spoken here.', response: { 204: NoBody } },
};
