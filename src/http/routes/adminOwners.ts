import * as owners from "../../core/access/owners.js";
import { invalid } from "../../words/errors.js";
import { actorOf } from "../actor.js";
import { route } from "../route.js";
import { readHolder } from "../wire/adminStore.js";
import {
  eraseAnswer,
  eraseBody,
  estateAnswer,
  ownerParams,
  presentErased,
  presentEstate,
  presentTransfer,
  readHeir,
  transferAnswer,
  transferBody,
} from "../wire/owner.js";

const tag = "Administration";
const path = "/admin/owners/:subject";

/** What belongs to a user, a team or a key, above all to those that LiteLLM no longer has. */
export const adminOwnerRoutes = [
  route({
    id: "retrieveOwner",
    method: "get",
    path,
    may: "admin:read",
    tag,
    summary: "List what belongs to a user, a team or a key",
    description:
      "Vector stores, files, permissions on vector stores of others, and usage. A team owns what its service accounts made; what users made " +
      "with its keys is theirs. `in_litellm` is null while LiteLLM cannot be asked, as the header `x-vector-store-warning` then says.",
    params: ownerParams,
    answer: estateAnswer,
    handle: async ({ deps, params, warn }) => {
      const { estate, problem } = await owners.describe(deps, readHolder(params.subject));
      if (problem !== null) warn(problem);
      return presentEstate(estate);
    },
  }),
  route({
    id: "transferOwner",
    method: "post",
    path: `${path}/transfer`,
    may: "admin:write",
    tag,
    summary: "Hand everything over to another user or team",
    description:
      "Vector stores, files and permissions; of two permissions on one vector store the stronger one stays. From user to user, the team keeps " +
      "its share in a vector store. What was used stays with who used it. `to` need not be known to LiteLLM yet.",
    params: ownerParams,
    body: transferBody,
    answer: transferAnswer,
    handle: async (call) => {
      const { deps, params, body } = call;
      const moved = await owners.transfer(deps, actorOf(call), readHolder(params.subject), readHeir(body.to));
      return presentTransfer(params.subject, body.to, moved);
    },
  }),
  route({
    id: "eraseOwner",
    method: "post",
    path: `${path}/erase`,
    may: "admin:write",
    tag,
    summary: "Remove everything that belongs to a user, a team or a key",
    description:
      "Vector stores with all their rows, files (also where they are attached to vector stores of others), permissions, usage and sessions. They are gone " +
      "at once, and their bytes soon after. Cannot be undone, so `confirm` repeats the subject. Block the keys first: what they make afterwards stays.",
    params: ownerParams,
    body: eraseBody,
    example: { confirm: "user:ann" },
    answer: eraseAnswer,
    handle: async (call) => {
      const { deps, params, body } = call;
      if (body.confirm !== params.subject) throw invalid("confirm", "must be the subject of the URL");
      return presentErased(params.subject, await owners.erase(deps, actorOf(call), readHolder(params.subject)));
    },
  }),
];
