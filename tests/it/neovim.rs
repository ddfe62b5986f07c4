//! Plans in a real editor: Neovim without a screen, with the setup of `editors/neovim`, on the real program.

use std::path::Path;
use std::process::{Command, Stdio};

/// Opens a broken plan, waits for its diagnostics, mends it, waits until they are gone, formats, and writes what it saw.
const SESSION: &str = r#"
local root, out = vim.env.NORMC_EDITORS, vim.env.NORMC_SEEN
vim.opt.rtp:append(root .. '/neovim')
vim.cmd('runtime! ftdetect/normcode.vim')
require('normc').setup({ cmd = { vim.env.NORMC_PROGRAM, 'lsp' } })
local seen = {}
local function note(text) table.insert(seen, text) end
local function found()
  local list = {}
  for _, d in ipairs(vim.diagnostic.get(0)) do
    table.insert(list, string.format('%s %d:%d-%d:%d', d.code, d.lnum, d.col, d.end_lnum, d.end_col))
  end
  table.sort(list)
  return list
end
local function has(code)
  return function()
    for _, one in ipairs(found()) do
      if one:find(code, 1, true) then return true end
    end
    return false
  end
end
vim.cmd('edit plan.nc')
note('filetype ' .. vim.bo.filetype)
note('arrived ' .. tostring(vim.wait(60000, has('NC049'), 20)))
for _, one in ipairs(found()) do
  if one:find('NC049', 1, true) then note(one) end
end
local line = vim.api.nvim_buf_get_lines(0, 5, 6, true)[1]
vim.api.nvim_buf_set_lines(0, 5, 6, true, { (line:gsub('across', '&across')) })
note('gone ' .. tostring(vim.wait(60000, function() return not has('NC049')() end, 20)))
if vim.lsp.buf.formatting_sync then
  vim.lsp.buf.formatting_sync(nil, 60000)
else
  vim.lsp.buf.format({ timeout_ms = 60000 })
end
for _, text in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, true)) do note('|' .. text) end
vim.fn.writefile(seen, out)
vim.cmd('qall!')
"#;

const PLAN: &str = "{和}\n\t<= ::(add {1} and {2})\n\t\t| %{builtin}: add\n\t<- {甲}<:{1}>\n\t<- {乙😀}<:{2}>\n\t\t<= across[{丙}]\n\t\t<- {丙}\n";

#[test]
fn a_plan_in_neovim() {
    let version = Command::new("nvim").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        println!("skipped: no nvim on this machine, so plans are not opened in it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let seen = folder.path().join("seen");
    std::fs::write(folder.path().join("session.lua"), SESSION).unwrap();
    std::fs::write(folder.path().join("plan.nc"), PLAN).unwrap();
    let output = Command::new("nvim")
        .args(["--headless", "--clean", "-n", "-c", "luafile session.lua", "-c", "qall!"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .env("XDG_CACHE_HOME", folder.path().join("cache"))
        .env("NORMC_EDITORS", Path::new(env!("CARGO_MANIFEST_DIR")).join("editors"))
        .env("NORMC_PROGRAM", env!("CARGO_BIN_EXE_normc"))
        .env("NORMC_SEEN", &seen)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    let seen = std::fs::read_to_string(&seen).unwrap_or_else(|e| panic!("{e}\n{said}"));
    let lines: Vec<&str> = seen.lines().collect();
    // Neovim counts columns in bytes.
    let expected = [
        "filetype normcode",
        "arrived true",
        "NC049 5:5-5:11",
        "gone true",
        "|{和}",
        "|    <= ::(add {1} and {2})",
        "|        | %{builtin}: add",
        "|    <- {甲}<:{1}>",
        "|    <- {乙😀}<:{2}>",
        "|        <= &across[{丙}]",
        "|        <- {丙}",
    ];
    assert_eq!(lines, expected, "{said}");
}
