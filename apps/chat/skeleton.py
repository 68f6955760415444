"""The parts of the page that stay while conversations come and go: sidebar, top bar, input, and what is said aloud.

Lists, menus and dialogs are filled by js/ from the HTTP API. `data-word` names the text of an element, `data-word-label`
its accessible name, `data-word-placeholder` its placeholder; the browser puts in its own language.
"""

from html import escape

from apps.chat.words import words_of


def sidebar_html(title: str, language: str) -> str:
    """Return the list of chats, to be filled, with the search above and the account beneath."""
    words = words_of(language)
    return (
        f'<nav class="side" id="side" data-word-label="sidebar" aria-label="{words["sidebar"]}">'
        f'<div class="side-head"><span class="brand"><span class="brand-mark" aria-hidden="true"></span>{escape(title)}</span>'
        f"{_icon_button('toggle-sidebar', 'sidebar', 'sidebar_toggle', words)}</div>"
        f'<button type="button" class="side-new" data-act="new"><span class="icon icon-new" aria-hidden="true"></span>'
        f'<span data-word="new_chat">{words["new_chat"]}</span></button>'
        f'<label class="side-search"><span class="icon icon-search" aria-hidden="true"></span>'
        f'<span class="sr-only" data-word="search_chats">{words["search_chats"]}</span>'
        f'<input type="search" id="search" autocomplete="off" maxlength="200" data-word-placeholder="search_chats" '
        f'placeholder="{words["search_chats"]}"></label>'
        '<div class="side-list" id="sessions" tabindex="-1"></div>'
        '<div class="side-foot"><button type="button" class="side-account" id="account" data-act="account" '
        f'aria-haspopup="menu" aria-expanded="false"><span class="sr-only" data-word="account">{words["account"]}</span>'
        '<span class="avatar" aria-hidden="true"></span><span class="who"></span></button></div></nav>'
        '<div class="side-shade" data-act="toggle-sidebar"></div>'
    )


def top_html(language: str) -> str:
    """Return the bar over the conversation: its title, and what opens from it."""
    words = words_of(language)
    return (
        f'<header class="bar"><a class="skip" href="#question" data-act="focus" data-word="skip">{words["skip"]}</a>'
        f"{_icon_button('toggle-sidebar', 'sidebar', 'sidebar_toggle', words)}"
        f'<h1 id="title" data-fallback="new_chat">{words["new_chat"]}</h1>'
        f"{_icon_button('new', 'new', 'new_chat', words)}"
        f"{_icon_button('files', 'files', 'files', words)}"
        f"{_icon_button('gear', 'gear', 'gear', words, hidden=True)}"
        f"{_icon_button('help', 'help', 'help', words)}</header>"
    )


def composer_html(language: str, max_chars: int) -> str:
    """Return the input with its buttons; chosen documents stand over it, templates open above it."""
    words = words_of(language)
    return (
        '<div class="composer"><div class="templates" id="templates" hidden></div>'
        f'<div class="chosen" id="chosen" role="group" data-word-label="chosen" aria-label="{words["chosen"]}" hidden></div>'
        '<div class="ask" id="ask">'
        f"{_icon_button('attach', 'attach', 'attach', words)}"
        f'<textarea id="question" rows="1" enterkeyhint="send" data-limit="{max_chars}" data-word-label="question" '
        f'aria-label="{words["question"]}" data-word-placeholder="placeholder" placeholder="{words["placeholder"]}" '
        'role="combobox" aria-autocomplete="list" aria-expanded="false" aria-controls="templates"></textarea>'
        f'<button type="button" id="send" class="send" data-act="send"><span data-word="send">{words["send"]}</span></button>'
        f'<button type="button" id="stop" class="stop" data-act="stop"><span data-word="stop">{words["stop"]}</span></button>'
        f'</div><div class="ask-foot">{_space_html(words)}'
        f'<span class="shown-examples" id="shown-examples" hidden></span>'
        f'<p class="hint" id="hint" data-word="hint">{words["hint"]}</p></div></div>'
        '<div class="sr-only" id="announce" role="status" aria-live="polite"></div>'
        '<div class="toast" id="toast" role="status" aria-live="polite" hidden></div>'
    )


def _space_html(words: dict[str, str]) -> str:
    """Return the choice of where a question is looked for; it holds for the questions asked while it is shown."""
    choices = "".join(
        f'<option value="{name}" data-word="space_{name}"{" selected" if name == "all" else ""}>{words[f"space_{name}"]}</option>'
        for name in ("all", "own", "shared")
    )
    return (
        f'<label class="space" for="space"><span data-word="space">{words["space"]}</span>'
        f'<select id="space" autocomplete="off">{choices}</select></label>'
    )


def _icon_button(act: str, icon: str, word: str, words: dict[str, str], hidden: bool = False) -> str:
    label = words[word]
    return (
        f'<button type="button" class="icon-button" data-act="{act}" data-word-label="{word}" aria-label="{label}" '
        f'title="{label}"{" hidden" if hidden else ""}><span class="icon icon-{icon}" aria-hidden="true"></span></button>'
    )
