/** Ids of rules that are no more. None is ever given to another rule: reports and suppressions of old runs name them. */
export const retiredIds: readonly string[] = [];
