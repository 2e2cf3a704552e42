import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageDocument } from '../../server/model/documents/messages.ts';
import { createMemoryStore, type Fault } from './memory-store.ts';
import { conversation, createNode, draft, range } from './writer-node.ts';

describe('two nodes that write at once, to a store that fails now and then', () => {
  const command = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('send'), id: fc.option(fc.nat(5), { nil: undefined }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('amend'), id: fc.nat(20) }) },
  );
  const devices = fc.array(fc.array(command, { maxLength: 8 }), { minLength: 3, maxLength: 3 });
  const fault = fc.oneof(
    { weight: 8, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom<Fault>('lost request', 'lost reply', 'tried twice') },
  );
  const faults = fc.array(fault, { maxLength: 30 });

  /** Devices on alternating nodes, which wait for no answer. Gives what became of each device's commands. */
  async function storm(queues: { kind: string; id: number | undefined }[][], faults: Fault[], scheduler: fc.Scheduler) {
    const trip = () => scheduler.schedule(Promise.resolve());
    const { store, messages } = createMemoryStore(trip, () => faults.shift());
    const nodes = [createNode(store), createNode(store)] as const;

    async function act(device: number): Promise<PromiseSettledResult<MessageDocument | undefined>[]> {
      const { writer } = nodes[device % 2]!;
      const socket = `socket ${device}`;
      const answers: Promise<MessageDocument | undefined>[] = [];
      for (const [i, { kind, id }] of queues[device]!.entries()) {
        await trip();
        const content = `${device}.${i}`;
        const message = messages[id ?? 0];
        if (kind === 'send') {
          const sent = writer.send(conversation, draft(content, id?.toString()), socket);
          answers.push(sent.then((answer) => (answer.duplicate ? undefined : answer.message)));
        } else if (message) {
          answers.push(writer.amend({ conversation, message, decide: (old) => ({ ...old, content }), socket }));
        }
      }
      return Promise.allSettled(answers);
    }

    const outcomes = await scheduler.waitFor(Promise.all(queues.map((_, device) => act(device))));
    return { messages, outcomes, told: nodes.flatMap((node) => node.told.map(({ rev }) => rev)) };
  }

  it('leave no gaps, store each send once, and keep the order of each device', async () => {
    await fc.assert(
      fc.asyncProperty(devices, faults, fc.scheduler(), async (...given) => {
        const { messages, outcomes, told } = await storm(...given);
        expect(messages.map(({ seq }) => seq)).toEqual(range(messages.length));
        const revs = messages.flatMap((message) => message.revs!).sort((one, other) => one - other);
        expect(revs).toEqual(range(revs.length));
        const ids = messages.flatMap(({ client_message_id }) => client_message_id ?? []);
        expect(new Set(ids).size).toBe(ids.length);
        expect(new Set(told).size).toBe(told.length);
        for (const outcome of outcomes) {
          const done = outcome.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value.rev] : []));
          expect(done).toEqual([...done].sort((one, other) => one - other));
          for (const rev of done) expect(told).toContain(rev);
        }
      }),
    );
  });

  it('refuse nothing while the store does not fail', async () => {
    await fc.assert(
      fc.asyncProperty(devices, fc.scheduler(), async (queues, scheduler) => {
        const { outcomes } = await storm(queues, [], scheduler);
        expect(outcomes.flat().filter(({ status }) => status === 'rejected')).toEqual([]);
      }),
    );
  });
});
