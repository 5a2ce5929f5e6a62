"""Words whose full stop says little about the end of a sentence, by what may follow them. Lower case, no final stop.

One table for all languages, so a word that any of them ends sentences with stands only where its case or what follows
tells the two apart. Words without vowels and single letters need no entry: they are taken for abbreviations anyway.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Always followed by the rest of their sentence.
LEADING = _words(
    """
    mr mrs ms mx messrs dr prof rev hon gen adm capt cmdr lt sgt cpl gov supt ste
    vs viz cf eg ie e.g i.e approx ca circa fig figs eq eqs vol vols chap thm dept
    mme mlle p.ex
    hr frl nr bzw ggf evtl vgl bspw sog z.b d.h u.a i.d.r i.v.m zzgl inkl exkl dipl kath evang gez hrsg geb verh ugs
    srta dña dott sig.ra sig.na exmo exma párr párrf admón avv arq mtro
    dhr mevr drs blz bijv d.w.z o.a m.b.t
    t.ex bl.a f.eks d.v.s dvs eks nuv skt
    např tj tzv mudr judr phdr rndr mgr napr resp tzw inż ul hab
    örn bkz yrd doç esim
    проф акад доц ул просп пер дер тел напр вкл див вул тзв
    κ κα κος κυρ δρ καθ π.χ βλ τηλ δηλ
    डॉ प्रो पं श्रीमती সং ডঃ ড
    """
)

# The same where they begin with a capital; without one they are words of some language, or units.
TITLES = _words(
    """
    col maj sen rep pres st mt ft fr ing bc dir dep sec av mons fa rit sta sto sr sgr san amm geom rag fru
    sra dra lic def univ assn гос тов нач г-н г-жа кв пл
    """
)

# Abbreviations before a number or an enumerating letter; words of the language, or the end of a sentence, elsewhere.
BEFORE_NUMBER = _words(
    """
    no nos n° nº № p pp art arts sec secs sect ch app ed eds ref refs cl par para paras pt ex ver v vv n nn l ll col abs
    ext tel tél tab bd jg kap núm num pág págs cap kl ziff rn az abb anm gem rdnr z § §§ č str с г гг д корп оф вып илл
    ст п пп рис табл σελ αρ
    """
)

# May end a sentence: what follows decides.
TRAILING = _words(
    """
    etc al inc ltd co corp bros plc llc gmbh jr sr esq ph.d m.d b.a m.a b.sc m.sc a.m p.m u.s u.k u.n e.u d.c u.s.a
    usw usf mio mrd jh str sq est dist ave blvd rd hrs min mins lb lbs oz ibid
    av ecc enz itd itp атд др пр тыс млн млрд руб коп долл дол чел мин сек т.е т.д т.п т.к т.г вв
    κ.λπ κλπ osv mfl m.fl vb tys zł
    """
)

# Months and days: with a capital or before a number, as dates have them; words of some language elsewhere.
DATES = _words(
    """
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
    ene abr ago dic lun mié jue vie sáb dom gen mag giu lug set ott mer gio ven janv févr fév avr juil déc mär okt dez
    fev mrt янв фев апр июн июл авг сен сент окт ноя дек
    """
)

# Capitalised words that open a sentence far more often than they go on with one.
OPENERS = _words(
    """
    the this that these those it its he she we they you i his her our their my your in on at to for from by with of
    and but or nor so yet as if when while where although though because since after before during until unless once
    a an another there here then thus hence therefore however moreover furthermore nevertheless meanwhile instead
    what who whom whose which why how all both each every either neither some any many most much more few several
    no not never only even also please see let note is are was were do does did can could will would should may nobody
    everybody everyone someone everything nothing something
    der die das ein eine er sie es wir ihr ich und aber oder in im am auf bei mit nach von zu als wenn da dies diese
    dieser dieses sein seine ihre man nur auch so dann danach doch hier dort niemand alle was wer wie wo warum
    le la les un une il elle nous vous ils elles et mais dans en on ce cette ces cet son sa ses leur pour avec après
    puis tout où qui que comme si au aux
    el los las una y pero su sus este esta estos estas para con por si no es se lo cuando como donde después luego nadie
    il lo gli uno e ma nel nella questo questa quando dopo poi è si non
    o os as um uma ele ela eles elas mas depois este esta isso não quando
    de het een hij zij ze wij en maar of dit dat deze die er daar toen niemand alles
    det den de han hun hon vi jag jeg du og och men som der där nu når når hvad vad ingen alle
    on ona oni to ten ta w na po i a ale ono jest nie pak bylo je byl byla potem
    он она оно они мы вы это этот эта эти но так как когда если однако потом затем там здесь тогда после его её их
    він вона воно вони ми ви це цей ця але коли якщо потім там тут після
    ο η το οι τα αυτός αυτή αυτό και αλλά στο στη στην δεν όταν
    bu o bir ve ama kimse sonra
    """
)

# What follows an ordinal number and its stop in German.
AFTER_ORDINAL = _words(
    """
    januar februar märz april mai juni juli august september oktober november dezember jahrhundert jahrhunderts
    jahrhunderte jahrtausend jahrhundertwende jh klasse platz mal tag geburtstag auflage armee division rennen kapitel
    bundesliga etage stock stunde woche monat jahrestag weltkrieg weltkriegs semester runde halbzeit lebensjahr
    """
)

# They open sentences, and family names too: "W. E. B. Du Bois".
NAME_PARTICLES = _words("de du da di la le el lo der den das do os van von")
