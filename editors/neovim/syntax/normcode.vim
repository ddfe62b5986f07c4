" Colours of NormCode plans.
if exists('b:current_syntax')
  finish
endif

syntax match normcodeComment /^\s*\(#\|\/\/\|\/:\|?:\|\.\.\.:\).*$/
syntax match normcodeMarker /^\s*\zs\(:<:\|:>:\|<=\|<-\|<\*\|<^\)/
syntax match normcodeOperator /\(\*every\|\*\.\|\$::\|\$[.+=%-]\|&across\|&in\|&\[#\]\|&\[{}\]\|@if!\|@if\|@after\|@:'\|@:!\|@\.\)/
syntax match normcodeSlot /<:{[^}]*}>/
syntax match normcodeAnnotation /[%?]{[^}]*}:/
syntax match normcodeIndex /|\s*\d\+\(\.\d\+\)*\.\?\(\s\+\a\+\)\?/

highlight default link normcodeComment Comment
highlight default link normcodeMarker Keyword
highlight default link normcodeOperator Operator
highlight default link normcodeSlot Special
highlight default link normcodeAnnotation PreProc
highlight default link normcodeIndex Comment

let b:current_syntax = 'normcode'
