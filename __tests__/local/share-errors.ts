/**
 * Jest runs tests in a separate realm, so an error that Node's core made (ECONNRESET, ECONNREFUSED) is no `instanceof
 * Error` there. The AWS SDK then wraps it, loses its code and does not retry it, unlike in Lambda. Import this first in a
 * test that looks at what the SDK does with network errors.
 */
import { types } from "node:util";

const ordinary = Function.prototype[Symbol.hasInstance];

Object.defineProperty(Error, Symbol.hasInstance, {
  value(this: unknown, candidate: unknown): boolean {
    return (this === Error && types.isNativeError(candidate)) || ordinary.call(this, candidate);
  },
});
