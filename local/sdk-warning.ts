/**
 * Import this first in a command. The AWS SDK prints nine lines about later Node.js versions before each answer; package and
 * Node.js versions are pinned together here, so that reminder is for the person who changes the pins.
 */
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
