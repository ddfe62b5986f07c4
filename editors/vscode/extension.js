// Starts `normc lsp` for NormCode plans.
const { workspace } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

function activate() {
  const command = workspace.getConfiguration('normc').get('path') || 'normc';
  const server = { command, args: ['lsp'] };
  client = new LanguageClient('normc', 'normc', server, { documentSelector: [{ language: 'normcode' }] });
  return client.start();
}

function deactivate() {
  return client ? client.stop() : undefined;
}

module.exports = { activate, deactivate };
