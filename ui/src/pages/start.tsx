import { Navigate } from "react-router";
import { useMay } from "../api/me.js";

export function Component() {
  return <Navigate replace to={useMay("admin:read") ? "/dashboard" : "/vector-stores"} />;
}
