/**
 * Why figures miss their targets, by part and row: written by hand from the stages, the counts and profiles, to be looked
 * at again with each change of a figure. Shown only where a target is missed.
 */
const CPU = "processor time: on two cores, about half of it is the server's and half the store's";

export const REMARKS: Record<string, string> = {
  'life.lives':
    'a life is three round trips, each with a durable commit, and twelve times the processor time of the bare three, half of it in the store: two marks, an insert, a summary and the settled status. The relay does none of that.',
  'life.send_cpu':
    'the relay takes less for a send at this rate than the 0.1 ms that the target goes by, and the server takes as much less on a machine as fast as that: 0.24 ms where the relay took 0.024.',
  'life.life_cpu':
    'as above: 0.77 ms where the relay took 0.024. A profile of the server is flat: 28 % are writes to sockets, 20 % the driver and BSON, the rest is spread over dispatch, marks and delivery.',
  'throughput.sends': `${CPU}. In the store, 15 index entries a message are two thirds of an insert.`,
  'throughput.raw_sends': `${CPU}. In the store, 15 index entries a message are two thirds of an insert.`,
  'counts.edit': 'the text that is replaced is stored first, for `message:revisions`. With `REVISIONS=off` it is 3.',
  'latency.p50':
    'at half of the highest rate the two cores are three quarters busy with load, server and store: a message waits for a turn of each, and for the batch before its own.',
  'signins.p99':
    'a p99 of rare events on two busy cores, which varies from run to run: between 1.1 and 4.5 in the rounds of two runs.',
  'connections.rate':
    'a connection costs five times the processor time of a bare one: look-ups of session and groups, rooms, presence. A fifth of it is writing store commands, seven for a batch of about six connections.',
  'group.recipient':
    'each recipient costs what it costs the bare room; the rest is the message itself, stored, acknowledged and encoded once.',
  'storms.react_1000':
    'the message names a thousand readers and up to a thousand who reacted: 50 KB to each of a thousand members, and in each of a thousand acknowledgements. It is within 1.5 s on a machine twice as fast.',
};
