"""Completions as the shells load them from the packages."""

from .place import needs

BASH = """
source /usr/share/bash-completion/bash_completion
COMP_WORDS=(xacct ver) COMP_CWORD=1 COMP_LINE='xacct ver' COMP_POINT=9 COMP_TYPE=9
_comp_load xacct 2>/dev/null || __load_completion xacct
complete -p xacct
$(complete -p xacct | sed 's/.*-F \\([^ ]*\\) .*/\\1/') xacct ver xacct
echo "${COMPREPLY[@]}"
"""

# A shell in a pseudo-terminal, because completions need the line editor.
ZSH = """
zmodload zsh/zpty
zpty shell 'env PS1="> " zsh -f -i'
zpty -w shell "fpath=($SHARE/zsh/site-functions \\$fpath); autoload -U compinit; compinit -u; echo is-ready"
zpty -r shell line '*is-ready*is-ready*'
zpty -w -n shell $'xacct veri\\t'
sleep 1
zpty -w shell ' --help | head -n 1; echo is-done'
zpty -r shell line '*is-done*is-done*'
print -r -- "$line"
"""


def test_completions_in_bash(place):
    needs("bash")
    share = place.unpacked() / "share"
    settings = {"XDG_DATA_HOME": share, "BASH_COMPLETION_USER_DIR": share / "bash-completion"}
    output = place.run("bash", "-c", BASH, path=f"{share.parent}/bin:/usr/bin:/bin", **settings)
    assert output.splitlines()[-1].strip() == "verify", output


def test_completions_in_zsh(place):
    needs("zsh")
    share = place.unpacked() / "share"
    output = place.run("zsh", "-f", "-c", ZSH, path=f"{share.parent}/bin:/usr/bin:/bin", SHARE=share, TERM="dumb")
    assert "Test that a link works" in output, output


def test_completions_in_fish(place):
    needs("fish")
    share = place.unpacked() / "share"
    # fish looks below each directory of XDG_DATA_DIRS.
    settings = {"XDG_DATA_DIRS": share}
    command = ("fish", "--command", "complete -C 'xacct ver'")
    output = place.run(*command, path=f"{share.parent}/bin:/usr/bin:/bin", **settings)
    assert output.startswith("verify\t"), output
