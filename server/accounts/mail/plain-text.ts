import MimeNode from 'nodemailer/lib/mime-node';

/**
 * Composes a mail whose text is sent as it is. Left to itself, nodemailer encodes text with lines as long as a reset
 * link's as quoted-printable, which breaks them: a link copied from the mail's source would be broken too.
 * @param mail with `text` in ASCII, in lines of at most 998 characters that end in CRLF (RFC 5322, section 2.1.1)
 * @returns what nodemailer's `sendMail` takes
 */
export function plainTextMail(mail: { from: string; to: string; subject: string; text: string }): object {
  const { from, to, subject, text } = mail;
  const node = new MimeNode('text/plain; charset=utf-8');
  node.setHeader({ from, to: { name: '', address: to }, subject, 'content-transfer-encoding': '7bit' });
  return { envelope: node.getEnvelope(), raw: `${node.buildHeaders()}\r\n\r\n${text}\r\n` };
}
