/** The SDK tells whoever runs it about the end of Node 20; ours are not the people who choose its version. Before a client is made. */
export function quietSdk(): void {
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
}
