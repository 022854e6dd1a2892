import { type Schema, Validator } from "@cfworker/json-schema";
import type { FaultOf } from "./conformance.ts";

/** A schema as it is read, for workerd, which lets nobody make code. */
export function interpretedSchema(schema: object): FaultOf {
  const validator = new Validator(schema as Schema, "2020-12");
  return (value) => {
    const { valid, errors } = validator.validate(value);
    const deepest = errors.at(-1);
    return valid ? undefined : `${deepest?.instanceLocation}: ${deepest?.error}`;
  };
}
