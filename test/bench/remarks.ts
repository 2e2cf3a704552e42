/**
 * Why figures miss their targets, by part and row: written by hand from the stages, the counts and profiles, to be looked
 * at again with each change of a figure. Shown only where a target is missed.
 */
const COMMANDS = 'each look-up is a store command of its own (the table under `counts`).';
const STORM =
  'each member costs all the store commands of a single receipt or reaction (`counts`), one after the other.';

export const REMARKS: Record<string, string> = {
  'life.lives':
    'a life takes 20 store commands in a row, where 6 are the aim; two thirds of its time is waiting for them.',
  'life.send_cpu': 'server and store take about the same; the bare relay neither checks nor stores.',
  'life.life_cpu': `of a life's processor time, nine tenths go into its two receipts: ${COMMANDS}`,
  'throughput.sends': 'processor time, about half in the server and half in the store.',
  'throughput.raw_sends': 'processor time, about half in the server and half in the store.',
  'counts.delivered': COMMANDS,
  'counts.read': COMMANDS,
  'counts.edit': COMMANDS,
  'counts.reaction': COMMANDS,
  'counts.group_delivered': COMMANDS,
  'counts.group_read': COMMANDS,
  'counts.typing_again': 'the settings of both sides are read at each start.',
  'counts.list': COMMANDS,
  'counts.sync': COMMANDS,
  'latency.p50':
    'the load shares two cores with server and store: a second that others take from them is a second of queue in an open loop.',
  'signins.p99':
    'a p99 of rare events: a checkpoint of the embedded database, a collection of garbage, two busy cores.',
  'connections.rate':
    'a connection costs several times the processor time of a bare one: authentication, rooms, presence.',
  ...Object.fromEntries(
    [300, 1000].flatMap((size) => [
      ...['delivered', 'read', 'react'].flatMap((kind) => [
        [`storms.${kind}_${size}`, STORM],
        [`storms.${kind}_${size}_refused`, `${STORM} What is not done in 4.5 s is answered \`unavailable\`.`],
      ]),
      [`storms.after_${size}`, 'it waits behind what is left of the storm in the store.'],
    ]),
  ),
};
