" Opens a file with ALE, waits for flake8, mends line 4, waits again, and writes what ALE shows to $TRANSCRIPT. See test_editors.py.
set nocompatible nomore hidden
let &runtimepath = $ALE . ',' . &runtimepath
let g:ale_linters = {'python': ['flake8']}
let g:ale_python_flake8_executable = $FLAKE8
let g:ale_python_flake8_use_global = 1
let g:ale_python_flake8_options = '--select=DET'
filetype plugin on

let s:shown = []
let s:turn = 0

function! s:Linted() abort
  let s:turn += 1
  call add(s:shown, 'after ' . (s:turn == 1 ? 'opening' : 'the edit') . ': ' . len(getloclist(0)) . ' findings')
  for item in getloclist(0)
    call add(s:shown, printf('%s:%d:%d: %s', expand('%:t'), item.lnum, item.col, item.text))
  endfor
  if s:turn == 1
    call setline(4, substitute(getline(4), 'w\.numpy', 'w.detach().numpy', ''))
    call ale#Queue(0)
  else
    call writefile(s:shown, $TRANSCRIPT)
    qall!
  endif
endfunction

autocmd User ALELintPost call timer_start(100, {-> s:Linted()})
call timer_start(60000, {-> execute('cquit!')})
