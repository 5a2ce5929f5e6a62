"""Words whose full stop says little about the end of a sentence, by what may follow them. Lower case, no final stop."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Always followed by the rest of their sentence.
LEADING = _words(
    """
    mr mrs ms mx messrs dr prof rev hon gen adm col maj capt cmdr lt sgt cpl gov sen rep pres supt st ste mt ft
    mme mlle vs viz cf eg ie e.g i.e approx ca circa fig figs eq eqs vol vols chap tab thm def univ dept assn
    hr fr frl nr bzw ggf evtl vgl bspw sog z.b d.h u.a i.d.r o.ä s.o s.u sra srta dña dott ing av
    """
)

# Abbreviations before a number or an enumerating letter; words of the language, or the end of a sentence, elsewhere.
BEFORE_NUMBER = _words(
    """
    no nos p pp art arts sec secs sect ch app ed eds ref refs cl par para paras pt ex ver v vv n nn l ll col abs
    bd jg kap núm num pág § §§
    """
)

# May end a sentence: what follows decides.
TRAILING = _words(
    """
    etc al inc ltd co corp bros plc llc gmbh jr sr esq ph.d m.d b.a m.a b.sc m.sc a.m p.m u.s u.k u.n e.u d.c u.s.a
    usw usf mio mrd jh str sq est dist ave blvd rd jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed
    thu thur thurs fri sat sun hrs min mins lb lbs oz ibid
    """
)

# Capitalised words that open a sentence far more often than they go on with one.
OPENERS = _words(
    """
    the this that these those it its he she we they you i his her our their my your in on at to for from by with of
    and but or nor so yet as if when while where although though because since after before during until unless once
    a an another there here then thus hence therefore however moreover furthermore nevertheless meanwhile instead
    what who whom whose which why how all both each every either neither some any many most much more few several
    no not never only even also please see let note is are was were do does did can could will would should may
    der die das ein eine er sie es wir ihr ich und aber oder in im am auf bei mit nach von zu als wenn da dies diese
    le la les un une il elle nous vous ils elles et mais dans en el los las una y pero
    """
)

# What follows an ordinal number and its stop in German.
AFTER_ORDINAL = _words(
    """
    januar februar märz april mai juni juli august september oktober november dezember jahrhundert jahrhunderts
    jahrhunderte jahrtausend jahrhundertwende jh klasse platz mal tag geburtstag auflage armee division
    """
)
