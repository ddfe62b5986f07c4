autocmd BufNewFile,BufRead *.nc,*.ncd,*.ncds,*.ncn,*.ncdn setfiletype normcode
