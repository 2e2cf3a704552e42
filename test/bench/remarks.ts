/** Why figures miss their targets, by part and row. Shown only where one does. */
export const REMARKS: Record<string, string> = {};
