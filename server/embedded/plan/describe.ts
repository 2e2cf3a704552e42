import type { Doc } from '../values/document.ts';
import { type IndexPlan, isCollectionScan, type Plan } from './plan.ts';

/** The plan as MongoDB's `explain` shows it: `queryPlanner.winningPlan` without sort, skip and limit. */
export function describePlan(plan: Plan): Doc {
  if (plan.kind === 'union') {
    return { stage: 'FETCH', inputStage: { stage: 'OR', inputStages: plan.branches.map(describeScan) } };
  }
  if (isCollectionScan(plan)) return { stage: 'COLLSCAN', direction: directionOf(plan) };
  return { stage: 'FETCH', inputStage: describeScan(plan) };
}

function describeScan(plan: IndexPlan): Doc {
  const { index } = plan;
  const scan = {
    stage: 'IXSCAN',
    keyPattern: index.spec.key,
    indexName: index.name,
    isMultiKey: index.multikey.includes(true),
    isUnique: index.unique || index.primary,
    isSparse: index.sparse,
    isPartial: index.partial !== undefined,
    direction: directionOf(plan),
  };
  return plan.isMerged ? { stage: 'SORT_MERGE', inputStages: [scan] } : scan;
}

function directionOf({ isReverse }: IndexPlan): string {
  return isReverse ? 'backward' : 'forward';
}
