/** From where the members connected here see their groups. Members who see everything are left out. */

export interface Floors {
  /** Shows a member nothing of a group at or below `fromSeq`; 0 shows everything. */
  set(groupId: string, userId: string, fromSeq: number): void;
  /** The members who may not see a group's message of this `seq`. */
  hiddenFrom(groupId: string, seq: number): readonly string[];
}

const NOBODY: readonly string[] = [];

export function createFloors(): Floors {
  const floors = new Map<string, Map<string, number>>();
  return {
    set(groupId, userId, fromSeq) {
      const group = floors.get(groupId) ?? new Map<string, number>();
      if (fromSeq === 0) group.delete(userId);
      else group.set(userId, fromSeq);
      if (group.size === 0) floors.delete(groupId);
      else floors.set(groupId, group);
    },
    hiddenFrom(groupId, seq) {
      const group = floors.get(groupId);
      if (!group) return NOBODY;
      return [...group].flatMap(([userId, fromSeq]) => (seq <= fromSeq ? userId : []));
    },
  };
}
