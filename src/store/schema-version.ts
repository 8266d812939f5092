/** The version of the schema that this client works with; sql/version.sql writes the same. */
export const SCHEMA_VERSION = 2;
