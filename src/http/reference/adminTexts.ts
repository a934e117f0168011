/** `fieldTexts` of the admin routes. */
export const adminTexts: Readonly<Record<string, string>> = {
  rows: "number of its rows",
  "totals.stores": "number of vector stores",
  "totals.rows": "rows of all of them",
  "totals.bytes": "bytes of all their texts",
  "AdminVectorStore.id": "id of the vector store",
  "AdminVectorStore.status": "`in_progress` while files are being read; an `expired` store is not searched",
  "owner.user_id": "LiteLLM's id of the user; null: no user's",
  "owner.team_id": "LiteLLM's id of the team of the user's key; without a user, the team's own; null: no team's",
  "owner.key_id": "SHA-256 of a LiteLLM key without user and team, or the id of a limited key of the service",
};
