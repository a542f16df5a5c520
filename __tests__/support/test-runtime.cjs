/**
 * Jest's runtime with two differences, for speed. All code runs in the worker's own context: Jest's usual one looks up every
 * global name through a proxy. Packages are loaded once per worker and not once per test file; the project's own modules are
 * still loaded anew for each file, so that no file sees what another left in them. `test-environment.ts` belongs to it.
 */

const { createRequire, isBuiltin } = require("node:module");
const path = require("node:path");
const { compileFunction, constants } = require("node:vm");
const { default: Runtime } = require("jest-runtime");

const isPackage = (name) => name !== undefined && !name.startsWith(".") && !path.isAbsolute(name) && !isBuiltin(name);

module.exports = class extends Runtime {
  constructor(...options) {
    super(...options);
    const { executor } = this;
    executor.compile = (source, filename) =>
      compileFunction(source, executor.injectedModuleParameters, {
        filename,
        importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      });
  }

  requireModule(from, name, options, isActual) {
    if (options?.isInternalModule || !isPackage(name)) return super.requireModule(from, name, options, isActual);
    return createRequire(from)(name);
  }
};
