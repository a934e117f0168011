const storeId = "vs_0190f2c4a7e87d3f9b1c2d3e4f5a6b7c";

/** `fieldExamples` of the admin routes. */
export const adminExamples: Readonly<Record<string, unknown>> = {
  owner: { user_id: "ann", team_id: "support", key_id: null },
  "owner.key_id": null,
  "listAllVectorStores.owner": "user:ann",
  "listAllVectorStores.sort": "bytes",
  "listAllVectorStores.name": "support",
  "listAllVectorStores.page": "WyJieXRlcyIsImRlc2MiLCI0OCIsInZzXzAxOTBmMmM0Il0",
  rows: 12,
  "totals.stores": 3,
  "totals.rows": 12000,
  "totals.bytes": 6291456,
  "AdminVectorStore.id": storeId,
  "AdminVectorStore.bytes": 48,
  "AdminVectorStore.rows": 1,
  "AdminVectorStore.status": "completed",
  "AdminVectorStore.metadata": { team: "support" },
  "AdminVectorStore.warnings": [],
};
