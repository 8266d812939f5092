/** About 100 bytes of JSON, as a task's body tends to be. */
export const BODY = {
  bucket: 'measurements',
  key: 'year=2026/month=11/day=21/part-00017.parquet',
  size: 73_400_320,
};
