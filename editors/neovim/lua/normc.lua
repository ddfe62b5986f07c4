-- Starts `normc lsp` for plans. Works from Neovim 0.7 on.
local M = {}

-- One server for all plans of a session.
local client

local function attach(options, buffer)
  if not client then
    client = vim.lsp.start_client({
      name = 'normc',
      cmd = options.cmd,
      root_dir = vim.fn.getcwd(),
      on_exit = function()
        client = nil
      end,
    })
  end
  if client then
    vim.lsp.buf_attach_client(buffer, client)
  end
end

--- options.cmd: how the server is started, { 'normc', 'lsp' } unless given.
function M.setup(options)
  options = vim.tbl_extend('keep', options or {}, { cmd = { 'normc', 'lsp' } })
  if vim.lsp.enable then
    vim.lsp.config('normc', { cmd = options.cmd, filetypes = { 'normcode' } })
    vim.lsp.enable('normc')
    return
  end
  vim.api.nvim_create_autocmd('FileType', {
    pattern = 'normcode',
    callback = function(event)
      attach(options, event.buf)
    end,
  })
end

return M
