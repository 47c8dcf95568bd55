"""The one catalogue of messages: every sentence an edition prints, in Indonesian and in English.

A message is a pair, so that none can be missing in one language. "dugaan" stands before every
allegation, in English "alleged"; English sentences are written so that 1 reads as well as 2.
"""

from __future__ import annotations

_STANDS_OUT = (
    "Menonjol: seluruh selang di atas 1; selang dibuat lebih lebar bila kasusnya sedikit dan "
    "perbandingannya banyak, sehingga dari sepuluh tema yang menonjol diperkirakan kurang dari "
    "satu yang hanya kebetulan.",
    "Stands out: the whole range lies above 1; the range is wider where cases are few and "
    "comparisons many, so that of ten themes that stand out fewer than one is expected to be "
    "chance.",
)
_TREND = (
    "Tren: empat pekan terakhir dibanding empat pekan sebelumnya, naik atau turun hanya bila beda "
    "sebesar itu kebetulan terjadi paling banyak sekali dalam seratus (uji binomial dua sisi; satu "
    "persen karena seratusan sel diperiksa), selain itu tidak jelas berubah; baru ada setelah "
    "delapan pekan kampanye berakhir.",
    "Trend: the last four weeks against the four before, rising or falling only where chance gives "
    "such a difference at most once in a hundred times (two-sided binomial test; one per cent "
    "because some hundred cells are looked at), otherwise no clear change; not before eight "
    "campaign weeks have ended.",
)
"""The rules of the issue profile, the same wherever they are printed."""

TEXT: dict[str, tuple[str, str]] = {
    # how numbers, days and lists are written
    "not_available": ("n/a", "n/a"),
    "thousands": (".", ","),
    "decimal_point": (",", "."),
    "percent": ("{value}\u00a0%", "{value}%"),
    "days": (
        "Senin Selasa Rabu Kamis Jumat Sabtu Minggu",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    "months": (
        "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
        "January February March April May June July August September October November December",
    ),
    "moment": ("{day} pukul {hour}.{minute}\u00a0WIB", "{day}, {hour}:{minute}\u00a0WIB"),
    "and": (" dan ", " and "),
    "last_and": (", dan ", ", and "),
    "or": (" atau ", " or "),
    "others": ("{count} lainnya", "{count} others"),
    # the head of an edition
    "contact": ("Informasi: {name}, {url}", "Information: {name}, {url}"),
    "title": ("Buletin Mingguan Pengawasan Pemilihan", "Weekly Election Supervision Bulletin"),
    "subtitle": ("Pekan {week}: {range}", "Week {week}: {range}"),
    "short_week": (
        "Pekan {week} hanya {days} hari ({range}) karena masa kampanye baru mulai; angkanya tidak "
        "setara dengan angka pekan tujuh hari.",
        "Week {week} has only {days} days ({range}) because the campaign had just begun; its "
        "figures do not compare with those of seven days.",
    ),
    "as_of": ("Keadaan data {as_of}", "Data as of {as_of}"),
    "known_now": (
        "Memuat semua catatan yang sudah masuk sampai saat itu",
        "With all the records that had come in by then",
    ),
    "known_then": (
        "Disusun kemudian; hanya memuat catatan yang sudah masuk pada saat itu",
        "Made later, of the records that had come in by then alone",
    ),
    "edition": ("Edisi {edition_id}", "Edition {edition_id}"),
    "page": ("halaman {page} dari {pages}", "page {page} of {pages}"),
    # approval
    "status_draft": ("Rancangan — belum disetujui", "Draft — not yet approved"),
    "status_rejected": (
        "Rancangan — ditolak, tidak diterbitkan",
        "Draft — rejected, not published",
    ),
    "status_demo": (
        "Disetujui otomatis oleh demo — data contoh, bukan angka resmi",
        "Approved automatically by the demo — sample data, not official figures",
    ),
    "status_person": ("Disetujui oleh {by}, {at}", "Approved by {by}, {at}"),
    # main points
    "points": ("Ringkasan", "Main points"),
    "point_violation": (
        "{value} dugaan pelanggaran pekan ini",
        "Alleged violations this week: {value}",
    ),
    "point_violation_more": (
        "({lp} laporan dan {tm} temuan), {change}. Sejak awal masa kampanye tercatat {to_date}.",
        "(reports {lp}, findings {tm}), {change}. Since the campaign began: {to_date}.",
    ),
    "point_place": (
        "Dugaan pelanggaran terbanyak di {places}.",
        "Most alleged violations: {places}.",
    ),
    "point_place_even": (
        "Dugaan pelanggaran tercatat di {places}.",
        "Alleged violations were recorded in {places}.",
    ),
    "point_place_more": (
        "{none}Sejak awal masa kampanye terbanyak di {places}.",
        "{none}Most since the campaign began: {places}.",
    ),
    "point_place_none": (
        "Pekan ini tidak ada dugaan pelanggaran di {places}. ",
        "None this week in {places}. ",
    ),
    "point_issue": (
        "Tema dugaan pelanggaran tersering pekan ini: {issues}.",
        "Most frequent themes of alleged violations this week: {issues}.",
    ),
    "point_issue_more": (
        "Satu kasus dapat memuat beberapa tema.",
        "A case may have several themes.",
    ),
    "point_issue_zero": (
        "Tema dugaan pelanggaran pekan ini belum dicatat.",
        "The themes of this week's alleged violations are not recorded yet.",
    ),
    "point_profile": (
        "Tema dugaan yang menonjol sejak awal, termasuk dalam informasi awal: {themes}.",
        "Themes of allegations, tips included, that stand out since the campaign began: {themes}.",
    ),
    "point_profile_theme": (
        "{issue} di {place} ({times} kali provinsi)",
        "{issue} in {place} ({times} times the province)",
    ),
    "point_profile_none": (
        "Sejak awal tidak ada tema dugaan, termasuk dalam informasi awal, yang menonjol di satu "
        "kabupaten/kota.",
        "No theme of allegations, tips included, stands out in any one regency since the campaign "
        "began.",
    ),
    "point_funnel": (
        "{received} laporan diterima pekan ini:",
        "Reports received this week: {received};",
    ),
    "point_funnel_more": (
        "{registered} diregistrasi, {not_registered} tidak diregistrasi, {pending} belum "
        "diputuskan.",
        "{registered} registered, {not_registered} not registered, {pending} not yet decided.",
    ),
    "point_deadline": (
        "{overdue} tenggat penanganan sudah lewat, {maybe} mungkin sudah lewat,",
        "Handling deadlines that have passed: {overdue}; that may have passed: {maybe};",
    ),
    "point_deadline_more": (
        "dan {soon} berakhir pada {days}, dari {open} yang terbuka atau mungkin terbuka.",
        "ending on {days}: {soon}; open or perhaps open: {open}.",
    ),
    "point_deadline_none": (
        "Tidak ada tenggat penanganan yang terbuka.",
        "No handling deadline is open.",
    ),
    "deadline_maybe_missed": (
        "{count} tenggat lain sudah berakhir, tidak pasti tepat waktu.",
        "Further deadlines that have ended, not certainly in time: {count}.",
    ),
    "deadline_before": (
        "{count} di antaranya dari kasus yang diterima sebelum masa kampanye, yang tidak dihitung "
        "dalam angka lain.",
        "Of these, of cases received before the campaign, which no other figure counts: {count}.",
    ),
    "deadline_uncertain": (
        "Keadaan {count} tenggat lain tidak pasti.",
        "Further deadlines whose state is uncertain: {count}.",
    ),
    "point_campaign": (
        "{value} kegiatan kampanye diawasi pekan ini,",
        "Campaign events supervised this week: {value},",
    ),
    "point_campaign_spread": (
        "{change}; terbanyak di {most}, paling sedikit di {least}.",
        "{change}; most in {most}, fewest in {least}.",
    ),
    "point_no_recap": (
        "Kegiatan kampanye dan tindakan pencegahan pekan ini belum diketahui:",
        "This week's campaign events and prevention actions are not known:",
    ),
    "point_no_recap_more": (
        "belum ada kecamatan yang menyampaikan rekap.",
        "no district has delivered its recap.",
    ),
    "point_tip": ("{tip} informasi awal pekan ini,", "Tips this week: {tip},"),
    "point_other": (
        "{prevention} tindakan pencegahan dan {tip} informasi awal pekan ini.",
        "Prevention actions this week: {prevention}; tips: {tip}.",
    ),
    "point_other_more": (
        "Pencegahan {prevention_change}; informasi awal {tip_change}.",
        "Prevention {prevention_change}; tips {tip_change}.",
    ),
    "point_complete": (
        "{submitted} dari {expected} kecamatan ({percent}) menyampaikan rekap.",
        "{submitted} of {expected} districts ({percent}) delivered their recap.",
    ),
    "point_complete_all": (
        "Semua kecamatan sudah menyampaikan rekap.",
        "Every district has delivered its recap.",
    ),
    "point_complete_missing": (
        "Belum menyampaikan: {districts}. Angka kegiatan dan pencegahan pekan ini dapat bertambah.",
        "Not delivered: {districts}. This week's events and prevention may still rise.",
    ),
    "point_held": (
        "Belum semua kiriman dihitung: {channels} ditahan.",
        "Not all deliveries are counted: held back are {channels}.",
    ),
    "point_held_channel": (
        "{title} ({count} kiriman sejak {since})",
        "{title} (deliveries since {since}: {count})",
    ),
    "point_held_more": (
        "Angka yang bersumber dari sana dapat berubah; sebabnya ada di bab “{chapter}”.",
        "Figures that come from there may change; the chapter “{chapter}” says why.",
    ),
    "every_district": ("semua kecamatan", "every district"),
    "point_restatement": (
        "{count} angka dalam edisi sebelumnya kini berbeda.",
        "Figures of earlier editions that are different now: {count}.",
    ),
    "point_restatement_more": (
        "Angka lama, angka baru, dan sebabnya dimuat dalam edisi ini.",
        "Old value, new value and reason are in this edition.",
    ),
    "point_waiver": (
        "{count} pemeriksaan mutu dikecualikan.",
        "Quality checks waived: {count}.",
    ),
    "point_waiver_more": (
        "Alasan dan penanggung jawabnya dimuat dalam edisi ini.",
        "Reasons and who answers for them are in this edition.",
    ),
    # every regency on one line
    "glance_caption": ("Sekilas tiap kabupaten/kota", "Every regency at a glance"),
    "glance_week": ("Dugaan pekan ini", "Alleged this week"),
    "glance_to_date": ("Dugaan sejak awal", "Alleged to date"),
    "glance_overdue": ("Teng\u00adgat lewat", "Dead\u00adlines passed"),
    "glance_maybe": ("Mung\u00adkin lewat", "May have passed"),
    "glance_events": ("Kam\u00adpanye diawasi", "Events super\u00advised"),
    "glance_prevention": ("Pence\u00adgahan", "Preven\u00adtion"),
    "glance_recaps": ("Rekap masuk", "Recaps in"),
    "glance_themes": ("Tema dugaan yang menonjol", "Themes of allegations that stand out"),
    # changes
    "change_no_recap": (
        "pekan ini belum diketahui karena belum ada kecamatan yang menyampaikan rekap",
        "this week's number is not known, as no district has delivered its recap",
    ),
    "change_up": (
        "naik {by} dari pekan sebelumnya ({previous})",
        "up {by} from the previous week ({previous})",
    ),
    "change_down": (
        "turun {by} dari pekan sebelumnya ({previous})",
        "down {by} from the previous week ({previous})",
    ),
    "change_same": ("sama dengan pekan sebelumnya", "unchanged from the previous week"),
    "change_unknown": (
        "tanpa pembanding dari pekan sebelumnya",
        "with no previous week to compare",
    ),
    "same_each": ("masing-masing {value}", "{value} each"),
    "of_each": ("{places} ({value})", "{places} ({value})"),
    "all_regencies": ("semua kabupaten/kota", "every regency"),
    "many_regencies": ("{count} kabupaten/kota", "{count} regencies"),
    "many_issues": ("{count} tema (masing-masing {value})", "{count} themes ({value} each)"),
    # common heads
    "regency": ("Kabupaten/kota", "Regency or city"),
    "kabupaten": ("Kabupaten {name}", "{name} Regency"),
    "kota": ("Kota {name}", "{name} City"),
    "province": ("Provinsi", "Province"),
    "this_week": ("Pekan ini", "This week"),
    "last_week": ("Pekan lalu", "Last week"),
    "difference": ("Selisih", "Change"),
    "to_date": ("Sejak awal", "To date"),
    "total": ("Jumlah", "Total"),
    "theme": ("Tema", "Theme"),
    "unknown_place": ("Belum terpetakan", "Place not known"),
    "unknown_head": ("Belum terpe\u00adtakan", "Place not known"),
    "table": ("Tabel {number}.", "Table {number}."),
    "chart": ("Gambar {number}.", "Figure {number}."),
    # the line beneath a table or chart
    "source": (
        "Sumber: {source}. Keadaan data {as_of}. Kelengkapan rekap: {submitted} dari {expected} "
        "kecamatan ({percent}).",
        "Source: {source}. Data as of {as_of}. Recaps delivered: {submitted} of {expected} "
        "districts ({percent}).",
    ),
    "source_register": ("buku register laporan dan temuan", "register of reports and findings"),
    "source_recap": (
        "rekap pengawasan kampanye dan pencegahan tiap kecamatan",
        "each district's recap of campaign supervision and prevention",
    ),
    "source_tip": (
        "pesan aduan WhatsApp dan formulir pemantau",
        "WhatsApp hotline and observers' form",
    ),
    "source_all": ("semua kanal penerimaan", "all intake channels"),
    # completeness
    "complete_title": ("Kelengkapan penyampaian", "Completeness of reporting"),
    "complete_caption": (
        "{submitted} dari {expected} kecamatan menyampaikan rekap pekan ini",
        "{submitted} of {expected} districts delivered this week's recap",
    ),
    "channel_held": (
        "Kanal {title}: {count} kiriman (baru, berubah, atau ditarik) sejak {since} ditahan dan "
        "belum dihitung karena {reason}. Angka kanal ini tetap seperti sebelumnya.",
        "Channel {title}: {count} deliveries (new, changed or withdrawn) since {since} are held "
        "back and not yet counted because {reason}. What this channel told before stands.",
    ),
    "district": ("Kecamatan", "District"),
    "districts": ("Kecamatan", "Districts"),
    "submitted": ("Menyam\u00adpaikan", "Delivered"),
    "share": ("Persen", "Per cent"),
    "last_delivery": ("Rekap terakhir", "Last recap"),
    "recap_week": ("pekan {week}", "week {week}"),
    "missing_caption": (
        "{count} kecamatan belum menyampaikan rekap pekan ini",
        "Districts that have not delivered this week's recap: {count}",
    ),
    "missing_none": (
        "Semua kecamatan sudah menyampaikan rekap pekan ini.",
        "Every district has delivered this week's recap.",
    ),
    "zero_unknown": (
        "Angka 0 pekan ini untuk kegiatan kampanye dan pencegahan di {places} berarti belum "
        "diketahui: belum ada rekap dari sana.",
        "This week's 0 for campaign events and prevention in {places} means not known: no recap "
        "has come from there.",
    ),
    "missing_since": ("{district} (terakhir {week})", "{district} (last of {week})"),
    "missing_never": ("{district} (belum pernah)", "{district} (never)"),
    "never": ("belum pernah", "never"),
    "complete_note": (
        "Kecamatan tanpa kegiatan tetap menyampaikan rekap nihil dan dihitung menyampaikan. "
        "Rekap terakhir: pekan terbaru, sampai pekan ini, yang rekapnya sudah disampaikan.",
        "A district without activities still delivers an empty recap and counts as delivered. "
        "Last recap: the newest week, up to this one, of which a recap was delivered.",
    ),
    # funnel
    "funnel_title": ("Registrasi dan hasil penanganan", "Registration and results"),
    "funnel_caption": (
        "Dari {received} laporan dan temuan sejak awal, {registered} diregistrasi",
        "Of {received} reports and findings to date, {registered} were registered",
    ),
    "kind": ("Jenis", "Kind"),
    "category": ("Kategori", "Category"),
    "received": ("Diterima", "Received"),
    "registered": ("Diregis\u00adtrasi", "Registered"),
    "not_registered": ("Tidak diregis\u00adtrasi", "Not registered"),
    "pending": ("Belum diputus\u00adkan", "Not yet decided"),
    "funnel_note": (
        "Diterima = diregistrasi + tidak diregistrasi + belum diputuskan. Status adalah status "
        "saat data dibekukan, dihitung pada pekan laporan diterima.",
        "Received = registered + not registered + not yet decided. The status is that of the day "
        "the data were frozen, counted in the week of receipt.",
    ),
    "reason_caption": (
        "Laporan dan temuan yang tidak diregistrasi sejak awal: {count}{most}",
        "Reports and findings not registered to date: {count}{most}",
    ),
    "spread": (
        "; sejak awal terbanyak di {most}, paling sedikit di {least}",
        "; to date most in {most}, fewest in {least}",
    ),
    "most_of": ("; terbanyak {name} ({value})", "; most often {name} ({value})"),
    "reason": ("Alasan", "Reason"),
    "result_caption": (
        "Dari {registered} perkara yang diregistrasi sejak awal: {proven} terbukti, {not_proven} "
        "tidak terbukti, {forwarded} diteruskan, {closed} selesai, {in_process} masih diproses",
        "Of {registered} registered cases to date: {proven} established, {not_proven} not, "
        "{forwarded} forwarded, {closed} closed, {in_process} in process",
    ),
    "result": ("Hasil", "Result"),
    "result_note": (
        "Hasil adalah keadaan saat data dibekukan, dihitung pada pekan diterimanya. Setiap perkara "
        "dihitung sekali, menurut status terakhirnya: yang pernah diteruskan dan kini berstatus "
        "lain tidak dihitung sebagai diteruskan.",
        "The result is that of the day the data were frozen, counted in the week of receipt. Each "
        "case counts once, by its latest status: one that was forwarded and has another status now "
        "does not count as forwarded.",
    ),
    "forwarded_caption": (
        "Perkara diteruskan sejak awal: {count}; tindak lanjutnya selesai {closed}",
        "Cases forwarded to date: {count}; follow-up closed: {closed}",
    ),
    "forwarded_to": ("Diteruskan kepada", "Forwarded to"),
    "follow_up_closed": ("Tindak lanjut selesai", "Follow-up closed"),
    "follow_up_open": ("Belum selesai", "Not closed"),
    "forwarded_note": (
        "Laporan dan temuan yang menurut register diteruskan, menurut pekan diterimanya, apa pun "
        "status terakhirnya; jumlahnya dapat berbeda dari yang diteruskan dan yang selesai dalam "
        "tabel hasil, yang menghitung menurut status terakhir. Selesai dan belum selesai dihitung "
        "sejak awal; belum selesai memuat juga yang kabarnya belum diterima.",
        "Reports and findings that the register calls forwarded, by week of receipt, whatever "
        "their latest status; their number can differ from those forwarded and closed in the "
        "table of results, which counts by the latest status. Closed and not closed count to date; "
        "not closed includes those nothing has been heard of.",
    ),
    "registered_type_caption": (
        "Perkara diregistrasi menurut jenis dugaan pelanggaran{most}",
        "Registered cases by type of alleged violation{most}",
    ),
    # deadlines
    "deadline_title": ("Tenggat penanganan", "Handling deadlines"),
    "deadline_caption": (
        "{open} tenggat terbuka atau mungkin terbuka: {overdue} sudah lewat, {maybe} mungkin sudah "
        "lewat, {soon} berakhir pada {days}",
        "Deadlines open or perhaps open: {open}; passed {overdue}, may have passed {maybe}, ending "
        "on {days} {soon}",
    ),
    "deadline_regency": (
        "Tenggat yang terbuka atau mungkin terbuka menurut kabupaten/kota",
        "Deadlines open or perhaps open, by regency",
    ),
    "deadline": ("Tenggat", "Deadline"),
    "deadline_definition": (
        "Batas waktu penanganan satu kasus menurut satu aturan, menurut keadaannya pada hari itu",
        "The time limit of one case by one rule, by its state on that day",
    ),
    "deadline_running": (
        "Terbuka atau mungkin terbuka, sisa hari pada {day}",
        "Open or perhaps open, days left on {day}",
    ),
    "deadline_ended": ("Sudah berakhir", "Ended"),
    "deadline_note": (
        "Hari kalender, dihitung dari hari sesudah mulainya, dinilai pada {day}; "
        "penanganan 3 + 2 hari dihitung 5 hari. Satu kasus dapat memiliki beberapa tenggat. Hari "
        "perubahan status hanya diketahui di antara dua kiriman, atau tidak diketahui: tenggat "
        "yang mungkin belum mulai atau mungkin sudah berakhir dihitung mungkin lewat bila hari "
        "terakhirnya mungkin sudah lewat, dan mungkin terbuka bila belum. Dasar hukum: {sources}.",
        "Calendar days from the day after the start, judged on {day}; handling of 3 + 2 "
        "days counts as 5. A case may have several deadlines. The day a status changed is only "
        "known to lie between two deliveries, or not at all: a deadline that has perhaps not begun "
        "or has perhaps ended may have passed where its last day may have, and may be open where "
        "it has not. Legal basis: {sources}.",
    ),
    "deadline_before_note": (
        "Memuat juga tenggat kasus yang diterima sebelum masa kampanye ({count} tenggat, {open} di "
        "antaranya terbuka atau mungkin terbuka). Kasus itu tidak dihitung dalam angka lain; "
        "jumlahnya menurut kabupaten/kota ada di bab “{chapter}”.",
        "Deadlines of cases received before the campaign are among these: {count}, of which open "
        "or perhaps open {open}. No other figure counts those cases; the chapter “{chapter}” has "
        "them by regency.",
    ),
    # violations
    "violation_title": (
        "Dugaan pelanggaran menurut kabupaten/kota",
        "Alleged violations by regency",
    ),
    "violation_caption": ("Dugaan pelanggaran {change}", "Alleged violations: {change}"),
    "context_week": (
        "Dugaan pelanggaran pekan ini: {IN_EVENT} dalam kegiatan kampanye, {OUTSIDE_EVENT} di "
        "luarnya, {UNKNOWN} tidak tertulis",
        "Alleged violations this week during campaign events: {IN_EVENT}; outside: "
        "{OUTSIDE_EVENT}; not stated: {UNKNOWN}",
    ),
    "context_to_date": (
        "Dugaan pelanggaran sejak awal: {IN_EVENT} dalam kegiatan kampanye, {OUTSIDE_EVENT} di "
        "luarnya, {UNKNOWN} tidak tertulis",
        "Alleged violations to date during campaign events: {IN_EVENT}; outside: "
        "{OUTSIDE_EVENT}; not stated: {UNKNOWN}",
    ),
    "context_note": (
        "Kegiatan = kegiatan kampanye. Tidak tertulis: register tidak menyebutnya; bukan berarti "
        "di luar kegiatan.",
        "Events = campaign events. Not stated: the register does not say; that does not mean "
        "outside.",
    ),
    "map_title": (
        "Sejak awal, dugaan pelanggaran terbanyak di {places}",
        "Most alleged violations to date: {places}",
    ),
    "map_title_zero": ("Belum ada dugaan pelanggaran", "No alleged violation so far"),
    "map_tile": ("pekan ini {value}", "this week {value}"),
    "map_alt": (
        "Peta {count} kabupaten/kota. Dugaan pelanggaran sejak awal (pekan ini): {values}.",
        "Map of {count} regencies. Alleged violations to date (this week): {values}.",
    ),
    "map_value": ("{place} {to_date} ({week})", "{place} {to_date} ({week})"),
    "map_note_tiles": (
        "Satu petak satu kabupaten/kota, letaknya mengikuti peta. ",
        "One tile a regency, placed as on the map. ",
    ),
    "map_note": (
        "Angka besar: jumlah sejak awal; makin gelap makin banyak. Belum terpetakan: {unknown}.",
        "Large number: count to date; the darker, the more. Place not known: {unknown}.",
    ),
    "trend_title": (
        "Dugaan pelanggaran pekan ini {value}, {change}",
        "Alleged violations this week: {value}, {change}",
    ),
    "trend_alt": (
        "Diagram batang dugaan pelanggaran tiap pekan: {values}.",
        "Bar chart of alleged violations by week: {values}.",
    ),
    "trend_value": ("pekan {week} {value}", "week {week} {value}"),
    "trend_note": (
        "Tanggal di bawah batang adalah hari pertama pekan itu.",
        "The date beneath a bar is that week's first day.",
    ),
    # since the edition before
    "delta_caption": (
        "Dari {previous} menjadi {now} dugaan pelanggaran sejak edisi {edition}",
        "From {previous} to {now} alleged violations since edition {edition}",
    ),
    "delta_previous": ("Edisi sebelumnya", "Previous edition"),
    "delta_week": ("Pekan ini", "This week"),
    "delta_other": ("Pekan lain", "Other weeks"),
    "delta_now": ("Sekarang", "Now"),
    "delta_note": (
        "Jumlah sejak awal masa kampanye. Edisi sebelumnya + pekan ini + pekan lain = sekarang; "
        "pekan lain: koreksi dan kiriman terlambat, atau pekan tanpa edisi di antaranya.",
        "Counts since the campaign began. Previous edition + this week + other weeks = now; other "
        "weeks: corrections and late deliveries, or weeks in between without an edition.",
    ),
    "delta_none": (
        "Belum ada edisi pekan sebelumnya yang terbit; tidak ada pembanding.",
        "No edition of an earlier week has been published; there is nothing to compare with.",
    ),
    # rates
    "rate_caption": (
        "Per 100.000 pemilih, dugaan pelanggaran sejak awal terbanyak di {places}",
        "Most alleged violations to date per 100,000 voters: {places}",
    ),
    "rate_caption_unranked": (
        "Dugaan pelanggaran sejak awal per 100.000 pemilih dan per 100 TPS",
        "Alleged violations to date per 100,000 voters and per 100 polling stations",
    ),
    "voters": ("Pemilih (DPT)", "Voters"),
    "stations": ("TPS", "Polling stations"),
    "per_voters": ("Per 100.000 pemilih", "Per 100,000 voters"),
    "per_stations": ("Per 100 TPS", "Per 100 polling stations"),
    "rate_mark": ("Catatan", "Note"),
    "rate_note": (
        "† kurang dari {bound} kasus: angka per pemilih dan per TPS mudah berubah oleh satu kasus; "
        "jangan dipakai untuk mengurutkan. Tanpa yang belum terpetakan, kecuali provinsi.",
        "† fewer than {bound} cases: one case moves the rate much; do not rank by it. Cases whose "
        "place is not known count for the province only.",
    ),
    "issue_title": (
        "Dugaan pelanggaran menurut tema dan jenis",
        "Alleged violations by theme and type",
    ),
    "issue_chart": (
        "Tema dugaan pelanggaran tersering sejak awal: {issues}",
        "Most frequent themes of alleged violations to date: {issues}",
    ),
    "issue_alt": (
        "Diagram batang dugaan pelanggaran menurut tema sejak awal: {values}.",
        "Bar chart of alleged violations by theme to date: {values}.",
    ),
    "issue_caption": (
        "Dugaan pelanggaran menurut tema; tersering pekan ini: {issues}",
        "Alleged violations by theme; most frequent this week: {issues}",
    ),
    "issue_caption_zero": (
        "Dugaan pelanggaran menurut tema; pekan ini tidak ada",
        "Alleged violations by theme; none this week",
    ),
    "issue_note": (
        "Satu kasus dapat memuat beberapa tema: jumlah menurut tema tidak sama dengan jumlah "
        "kasus.",
        "A case may have several themes: themes do not add up to cases.",
    ),
    "matrix_week": (
        "Tema dugaan pelanggaran menurut kabupaten/kota, pekan ini",
        "Themes of alleged violations by regency, this week",
    ),
    "matrix_to_date": (
        "Tema dugaan pelanggaran menurut kabupaten/kota, sejak awal",
        "Themes of alleged violations by regency, to date",
    ),
    "matrix_rest": (
        "Tema yang tidak ditampilkan bernilai 0 di semua kabupaten/kota.",
        "Themes not shown are 0 in every regency.",
    ),
    "type_caption": ("Dugaan pelanggaran menurut jenis{most}", "Alleged violations by type{most}"),
    "type": ("Jenis pelanggaran", "Type"),
    "type_note": (
        "Satu kasus dapat memuat beberapa jenis: jumlah menurut jenis tidak sama dengan jumlah "
        "kasus.",
        "A case may have several types: types do not add up to cases.",
    ),
    # the prevention map
    "profile_title": ("Peta pencegahan", "Prevention map"),
    "profile_chart": (
        "Tema dugaan yang menonjol di tiap kabupaten/kota, termasuk dalam informasi awal: {themes}",
        "Themes of allegations, tips included, that stand out in each regency: {themes}",
    ),
    "profile_chart_none": (
        "Tidak ada tema dugaan, termasuk dalam informasi awal, yang menonjol di satu "
        "kabupaten/kota",
        "No theme of allegations, tips included, stands out in any one regency",
    ),
    "profile_theme_short": ("{issue} di {place}", "{issue} in {place}"),
    "profile_alt": (
        "Peta {count} kabupaten/kota dengan tema dugaan, termasuk dalam informasi awal, "
        "yang paling menonjol: {values}.",
        "Map of {count} regencies with the theme of allegations, tips included, that stands "
        "out most: {values}.",
    ),
    "profile_value": ("{place}: dugaan {theme}", "{place}: alleged {theme}"),
    "profile_value_none": ("{place}: tidak ada", "{place}: none"),
    "profile_times": ("{value} ×", "{value} ×"),
    "profile_none": ("tidak ada", "none"),
    "profile_map_note": (
        "Angka: berapa kali bagian tema itu di provinsi; makin gelap makin menonjol.",
        "Number: how many times the theme's share in the province; the darker, the more it stands "
        "out.",
    ),
    "profile_caption": (
        "Tema dugaan yang menonjol dibanding provinsi, termasuk dalam informasi awal, dan "
        "pencegahan yang dilakukan",
        "Themes of allegations, tips included, that stand out against the province, and prevention "
        "done",
    ),
    "profile_cases": (
        "Laporan, temuan, informasi awal",
        "Reports, findings, tips",
    ),
    "profile_share": ("Bagian", "Share"),
    "profile_province": ("Di provinsi", "In province"),
    "profile_quotient": ("Kali provinsi", "Times province"),
    "profile_interval": ("Selang", "Range"),
    "profile_judgement": ("Menonjol", "Stands out"),
    "stands_out": ("ya", "yes"),
    "stands_out_not": ("tidak", "no"),
    "profile_trend": ("Tren empat pekan", "Four-week trend"),
    "profile_prevention": ("Pence\u00adgahan empat pekan", "Prevention, four weeks"),
    "profile_trend_value": ("{trend} ({previous} ke {last})", "{trend} ({previous} to {last})"),
    "rising": ("naik", "rising"),
    "steady": ("tidak jelas berubah", "no clear change"),
    "falling": ("turun", "falling"),
    "not_enough_weeks": ("belum cukup pekan", "not enough weeks yet"),
    "interval": ("{lower}–{upper}", "{lower}–{upper}"),
    "profile_note": (
        "Sejak awal masa kampanye: laporan, temuan, dan informasi awal yang bertema. "
        f"{_STANDS_OUT[0]} Bagian: yang bertema itu dari semua yang bertema di sana. "
        f"{_TREND[0]} Pencegahan: semua tindakan di sana, tidak menurut tema. "
        "Semua tema dan kabupaten/kota: data/profil.csv.",
        "Since the campaign began: reports, findings and tips that name a theme. "
        f"{_STANDS_OUT[1]} Share: those with the theme among all with one there. "
        f"{_TREND[1]} Prevention: every action there, not by theme. Every theme and regency: "
        "data/profil.csv.",
    ),
    "profile_absent": (
        "Peta pencegahan tidak tersedia untuk pekan ini.",
        "The prevention map is not available for this week.",
    ),
    # waivers
    "waiver_title": ("Pengecualian pemeriksaan", "Waived checks"),
    "waiver": (
        "Pemeriksaan {check} tidak terpenuhi dan dikecualikan oleh {by} pada {at}, berlaku sampai "
        "{until}. Alasan: {reason}",
        "Check {check} does not hold and was waived by {by} on {at}, until {until}. Reason: "
        "{reason}",
    ),
    # restatements
    "restatement_title": ("Perubahan angka edisi sebelumnya", "Revisions of earlier editions"),
    "restatement_none": (
        "Tidak ada angka edisi sebelumnya yang berubah.",
        "No figure of an earlier edition has changed.",
    ),
    "restatement_first": (
        "Belum ada edisi sebelumnya yang angkanya dapat berubah.",
        "There is no earlier edition whose figures could have changed.",
    ),
    "restatement_caption": (
        "{count} angka dalam edisi sebelumnya kini berbeda",
        "Figures of earlier editions that are different now: {count}",
    ),
    "restatement_caption_told": (
        "Tidak ada perubahan baru pada angka edisi sebelumnya.",
        "No new revision of the figures of earlier editions.",
    ),
    "restatement_edition": ("Edisi", "Edition"),
    "restatement_place": ("Wilayah", "Area"),
    "period": ("Periode", "Period"),
    "restatement_old": ("Lama", "Old"),
    "restatement_new": ("Baru", "New"),
    "restatement_why": ("Sebab", "Why"),
    "late": ("masuk terlambat", "came late"),
    "progressed": ("status berlanjut", "status went on"),
    "edited": ("dikoreksi sumber", "corrected by its source"),
    "withdrawn": ("ditarik sumber", "withdrawn by its source"),
    "recoded": ("dikode ulang", "coded anew"),
    "restatement_reason": ("{reason} ({change})", "{reason} ({change})"),
    "restatement_note": (
        "Angka edisi yang sudah terbit tidak diubah. Tabel memuat angka pekan, dan angka sejak "
        "awal yang perubahannya tidak terlihat dari pekan itu; semua angka sejak awal ada di "
        "data/perubahan.csv. Mengaitkan dua kasus tidak mengubah angka: setiap kasus tetap "
        "dihitung.",
        "A published edition is never changed. The table has weekly figures, and figures to date "
        "whose change those do not show; every figure to date is in data/perubahan.csv. Linking "
        "two cases changes no figure: each case still counts.",
    ),
    "restatement_states": (
        "Tenggat, peta pencegahan, rasio, dan yang tidak dihitung adalah keadaan pada saat edisi "
        "dibuat, dan tidak dibandingkan antaredisi.",
        "Deadlines, prevention map, rates and what is not counted are states as of the edition, "
        "and are not compared between editions.",
    ),
    "restatement_week": ("{figure}, pekan {week}", "{figure}, week {week}"),
    "restatement_to_date": ("{figure}, sejak awal", "{figure}, to date"),
    "restatement_said": (
        "edisi sesudahnya menyebut {told}",
        "an edition after it said {told}",
    ),
    "restatement_told": (
        "{count} perubahan sudah dimuat dalam edisi sebelum ini dan tidak diulang.",
        "Revisions told in an edition before this one and not repeated: {count}.",
    ),
    "restatement_rest": (
        "{count} perubahan lain ada di data/perubahan.csv.",
        "Further revisions, in data/perubahan.csv: {count}.",
    ),
    # a page per regency
    "regency_violation": (
        "{value} dugaan pelanggaran pekan ini, {change}; {to_date} sejak awal.",
        "Alleged violations this week: {value}, {change}; to date {to_date}.",
    ),
    "regency_rate": (
        "Sejak awal {rate} per 100.000 pemilih; provinsi {province}.",
        "To date {rate} per 100,000 voters; province {province}.",
    ),
    "regency_few": (
        "Kasusnya kurang dari {bound}: jangan dipakai untuk mengurutkan.",
        "There are fewer than {bound} cases: do not rank by it.",
    ),
    "regency_profile": (
        "Tema dugaan yang menonjol: {themes}. Tindakan pencegahan empat pekan terakhir: "
        "{prevention}.",
        "Themes of allegations that stand out: {themes}. Prevention actions in the last four "
        "weeks: {prevention}.",
    ),
    "regency_theme": (
        "{issue} ({times} kali provinsi, selang {interval}, tren: {trend})",
        "{issue} ({times} times the province, range {interval}, trend: {trend})",
    ),
    "regency_profile_none": (
        "Tidak ada tema dugaan yang menonjol dibanding provinsi. Tindakan pencegahan empat pekan "
        "terakhir: {prevention}.",
        "No theme stands out against the province. Prevention actions in the last four weeks: "
        "{prevention}.",
    ),
    "regency_deadline": (
        "{open} tenggat penanganan (mungkin) terbuka: {overdue} sudah lewat, {maybe} mungkin sudah "
        "lewat, {soon} berakhir pada {days}.",
        "Handling deadlines (perhaps) open: {open}; passed {overdue}, may have passed {maybe}, "
        "ending on {days} {soon}.",
    ),
    "regency_missing": (
        "Belum menyampaikan rekap: {districts}.",
        "Recap not delivered: {districts}.",
    ),
    "regency_caption": ("{name}: angka utama", "{name}: main figures"),
    "regency_themes": (
        "{name}: tema laporan, temuan, dan informasi awal sejak awal dibanding provinsi",
        "{name}: themes of reports, findings and tips to date against the province",
    ),
    "regency_themes_note": (
        "Laporan, temuan, dan informasi awal yang bertema. Kali provinsi: bagian tema itu di sini "
        f"dibagi bagiannya di provinsi. {_STANDS_OUT[0]} Tren: lihat Peta pencegahan.",
        "Reports, findings and tips that name a theme. Times province: the theme's share here "
        f"divided by its share in the province. {_STANDS_OUT[1]} Trend: see Prevention map.",
    ),
    "figure_category": ("{figure}: {category}", "{figure}: {category}"),
    "district_caption": (
        "{name}: dugaan pelanggaran menurut kecamatan dan kelompok tema, {range}",
        "{name}: alleged violations by district and group of themes, {range}",
    ),
    "suppressed": ("*", "*"),
    "group_counts_case": (
        "Jumlah kasus. Satu kasus dihitung sekali dalam tiap kelompok tema yang dimuatnya, berapa "
        "pun temanya dalam kelompok itu.",
        "Number of cases. A case counts once in each group of themes that it has, however many "
        "themes of that group.",
    ),
    "group_counts_theme": (
        "Jumlah tema, bukan kasus: satu kasus dihitung sekali untuk tiap temanya dalam kelompok "
        "itu, sebagaimana terbit pertama kali.",
        "Number of themes, not of cases: a case counts once for each of its themes in the group, "
        "as it was first published.",
    ),
    "district_note": (
        "* = tidak diterbitkan untuk melindungi orang: jumlah di atas 0 dan di bawah {threshold}, "
        "serta jumlah lain yang dapat membukanya. Tabel ini "
        "terbit sekali untuk tiap empat pekan dan tidak diubah lagi: selisih dua edisi pun tidak "
        "membuka yang disembunyikan.",
        "* = not published, to protect people: counts above 0 and below {threshold}, and others "
        "that would give them away. This table is published once "
        "for every four weeks and not changed again: not even the difference of two editions shows "
        "what is hidden.",
    ),
    # tips
    "tip_title": ("Informasi awal", "Tips"),
    "tip_caption": ("Informasi awal {change}", "Tips: {change}"),
    "tip_note": (
        "Informasi awal belum memenuhi syarat laporan; ditelusuri dan dapat menjadi temuan. Tidak "
        "dihitung sebagai dugaan pelanggaran.",
        "A tip does not meet the requirements of a report; it is traced and may become a finding. "
        "It does not count as an alleged violation.",
    ),
    # campaign
    "campaign_title": ("Kegiatan kampanye yang diawasi", "Campaign events supervised"),
    "campaign_election": (
        "Kegiatan kampanye {change}{spread}",
        "Campaign events: {change}{spread}",
    ),
    "campaign_method": (
        "Kegiatan kampanye yang diawasi menurut metode{most}",
        "Campaign events supervised by method{most}",
    ),
    "campaign_note": (
        "Terbatas = pertemuan terbatas; lainnya = kegiatan lain yang tidak melanggar larangan "
        "kampanye; tidak tertulis = rekap tidak menyebutnya, atau dengan kata yang tidak dikenal.",
        "Limited = limited meeting; other = other activities that no campaign rule forbids; not "
        "stated = the recap does not say, or in a word that is not known.",
    ),
    # prevention
    "prevention_title": ("Pencegahan", "Prevention"),
    "prevention_caption": (
        "Tindakan pencegahan {change}{spread}",
        "Prevention actions: {change}{spread}",
    ),
    # not counted
    "not_counted_title": ("Yang tidak dihitung", "Not counted"),
    "not_counted_caption": (
        "{count} kiriman sampai pekan ini tidak dihitung, {week} di antaranya pekan ini",
        "Deliveries not counted up to this week: {count}, of which this week {week}",
    ),
    "not_counted_none": (
        "Tidak ada kiriman yang dikarantina atau disisihkan.",
        "No delivery was quarantined or set apart.",
    ),
    "channel": ("Kanal", "Channel"),
    "owner": ("Penanggung jawab", "Owner"),
    "not_counted_held": (
        "Belum termasuk {count} kiriman yang ditahan: lihat bab “{chapter}”.",
        "Deliveries held back, not among these: {count}; see the chapter “{chapter}”.",
    ),
    "not_counted_note": (
        "Kiriman yang tidak terbaca dikarantina; yang bukan laporan disisihkan; yang dari sebelum "
        "masa kampanye di luar masa yang dihitung. Semuanya tetap tersimpan dan dapat ditelusuri. "
        "Sampai pekan ini: termasuk yang pekannya tidak diketahui.",
        "Deliveries that cannot be read are quarantined; what is no report is set apart; what came "
        "before the campaign lies outside the period that is counted. All are kept and can be "
        "traced. Up to this week: those whose week is not known included.",
    ),
    "until_week": ("Sampai pekan ini", "Up to this week"),
    "before_campaign": ("Dari sebelum masa kampanye", "From before the campaign"),
    "before_campaign_definition": (
        "Laporan, temuan, dan informasi awal yang diterima, serta kegiatan kampanye dan tindakan "
        "pencegahan yang dilakukan, sebelum hari pertama masa kampanye; tidak masuk angka mana pun",
        "Reports, findings and tips received, and campaign events and prevention actions done, "
        "before the campaign's first day; in no figure",
    ),
    "before_caption": (
        "{count} kiriman dari sebelum masa kampanye tidak dihitung, menurut kabupaten/kota",
        "Deliveries from before the campaign that are not counted, by regency: {count}",
    ),
    "before_events": ("Kegiatan kampanye", "Campaign events"),
    "before_deadlines": (
        "Tenggat\u00adnya (mungkin) terbuka",
        "Deadlines (perhaps) open",
    ),
    "before_note": (
        "Diterima atau dilakukan sebelum {first}, hari pertama masa kampanye. Laporan dan temuan "
        "itu tetap ditangani: tenggatnya termasuk dalam bab “{chapter}”.",
        "Received or done before {first}, the campaign's first day. Those reports and findings are "
        "handled all the same: their deadlines are in the chapter “{chapter}”.",
    ),
    # what is behind a number
    "behind": ("{count} fakta: {reference}", "{count} facts: {reference}"),
    "behind_sum": ("jumlah dari {parts}", "sum of {parts}"),
    "behind_less": ("{whole} − {part}", "{whole} − {part}"),
    "profile_definition": (
        "cases: laporan, temuan, dan informasi awal kabupaten/kota itu yang memuat tema itu, sejak"
        " awal masa kampanye; prevention: tindakan pencegahan di sana dalam empat pekan terakhir."
        f" {_STANDS_OUT[0]}",
        "cases: the regency's reports, findings and tips that name the theme, since the campaign"
        " began; prevention: the prevention actions there in the last four weeks."
        f" {_STANDS_OUT[1]}",
    ),
    "not_counted_definition": (
        "Kiriman kanal itu yang karena alasan itu dikarantina, disisihkan, atau di luar masa yang"
        " dihitung, dan tidak masuk angka mana pun",
        "Deliveries of the channel that for that reason were quarantined, set apart, or lie outside"
        " the period that is counted, and are in no figure",
    ),
    "district_definition": (
        "Laporan dan temuan kecamatan itu dalam empat pekan yang disebut yang memuat tema dalam"
        " kelompok itu; yang tempatnya tidak diketahui memakai kode kabupaten/kota",
        "Reports and findings of the district in the four weeks named that have a theme of the"
        " group; those of no known place have the regency's code",
    ),
    "behind_quotient": ("bagian di sini : provinsi", "share here : province"),
    "behind_edition": ("menurut edisi {edition}", "by edition {edition}"),
    "behind_other": (
        "sekarang dikurangi edisi sebelumnya dan pekan ini",
        "now less the previous edition and this week",
    ),
    "behind_recaps": (
        "{submitted} dari {expected} kecamatan",
        "{submitted} of {expected} districts",
    ),
    "behind_share": ("{cases} dari {base}", "{cases} of {base}"),
    "behind_province": ("bagian di provinsi", "share in the province"),
    "behind_district": ("kasus empat pekan", "cases in four weeks"),
    "behind_difference": (
        "{week} pekan ini, {previous} pekan lalu",
        "{week} this week, {previous} last week",
    ),
    "definitions": ("Definisi angka dan penelusurannya", "Definitions, and how to trace a number"),
    "definitions_how": (
        "Rujukan sebuah angka: kode/kategori/wilayah/periode@edisi, misalnya {example}. Kode "
        "wilayah dan periode ada pada {codes}. Penunjuk yang ditahan pada sebuah angka "
        "menampilkannya; perintah 'lumbung trace RUJUKAN' menampilkan catatan, kiriman, dan sidik "
        "buktinya.",
        "A number's reference: code/category/area/period@edition, such as {example}. Codes of "
        "areas and periods are under {codes}. A pointer resting on a number shows it; the command "
        "'lumbung trace REFERENCE' lists records, deliveries and the hash of the evidence.",
    ),
    "definitions_codes": ("Kode wilayah dan periode", "Codes of areas and periods"),
    "definition_categories": ("Kategori", "Categories"),
    "contents": ("Daftar isi", "Contents"),
    # paper
    "paper_volumes": (
        "Bab dan halaman selebihnya ada di {first} sampai {last}",
        "The other chapters and pages are in {first} to {last}",
    ),
    "paper_volume": ("{first} sampai {last}", "{first} to {last}"),
    # workbook and open data
    "sheet_contents": ("Isi", "Contents"),
    "sheet_notes": ("Catatan", "Notes"),
    "sheet_trend": ("Tren", "Trend"),
    "sheet_regency": ("Angka utama", "Main figures"),
    "sheet_regency_title": (
        "Angka utama tiap kabupaten/kota",
        "Main figures of each regency",
    ),
    "sheet_themes": ("Tema", "Themes"),
    "sheet_themes_title": (
        "Tema laporan, temuan, dan informasi awal sejak awal dibanding provinsi",
        "Themes of reports, findings and tips to date against the province",
    ),
    "sheet_districts": ("Kecamatan", "Districts"),
    "sheet_districts_title": (
        "Dugaan pelanggaran menurut kecamatan dan kelompok tema",
        "Alleged violations by district and group of themes",
    ),
    "sheet": ("Tabel {number}", "Table {number}"),
    "week": ("Pekan", "Week"),
    "figure": ("Angka", "Figure"),
    "definition": ("Definisi", "Definition"),
    "data_angka": (
        "Semua angka edisi menurut wilayah, kategori, dan periode",
        "Every figure of the edition by area, category and period",
    ),
    "data_tren": (
        "Angka provinsi tiap pekan sejak awal masa kampanye",
        "The province's figures by week since the campaign began",
    ),
    "data_wilayah": ("Wilayah, pemilih, dan TPS", "Areas, voters and polling stations"),
    "data_kelengkapan": ("Kelengkapan penyampaian", "Completeness of reporting"),
    "data_kecamatan": (
        "Dugaan pelanggaran menurut kecamatan dan kelompok tema",
        "Alleged violations by district and group of themes",
    ),
    "data_tenggat": ("Tenggat penanganan menurut keadaan", "Handling deadlines by state"),
    "data_profil": (
        "Tema tiap kabupaten/kota dibanding provinsi sejak awal, dengan selang penentu yang "
        "menonjol",
        "Themes of each regency against the province to date, with the range that decides "
        "whether a theme stands out",
    ),
    "data_perubahan": ("Perubahan angka edisi sebelumnya", "Revisions of earlier editions"),
    "data_tidak-dihitung": ("Yang tidak dihitung", "Not counted"),
    "data_sebelum-kampanye": (
        "Yang tidak dihitung karena dari sebelum masa kampanye, menurut wilayah",
        "What is not counted because it is from before the campaign, by area",
    ),
    "data_frequency": (
        "mingguan, Senin pukul 06.00 WIB",
        "weekly, Monday 06:00 WIB",
    ),
    "data_zone": ("Asia/Jakarta (WIB, UTC+7)", "Asia/Jakarta (WIB, UTC+7)"),
    "data_description": (
        "Angka pengawasan pemilihan tiap pekan menurut kabupaten/kota: dugaan pelanggaran, "
        "registrasi dan hasilnya, tenggat penanganan, informasi awal, kegiatan kampanye yang "
        "diawasi, pencegahan, dan kelengkapan penyampaian. Hanya jumlah; tidak memuat data "
        "pribadi.",
        "Weekly figures of election supervision by regency: alleged violations, registration and "
        "results, handling deadlines, tips, campaign events supervised, prevention and "
        "completeness of reporting. Counts only; no personal data.",
    ),
    "first_day": ("Hari pertama", "First day"),
    "last_day": ("Hari terakhir", "Last day"),
    "as_of_head": ("Keadaan data (WIB)", "Data as of (WIB)"),
    "frozen_head": ("Dibekukan (WIB)", "Frozen (WIB)"),
    "press_title": ("SIARAN PERS", "PRESS RELEASE"),
    "press_draft": ("RANCANGAN SIARAN PERS", "DRAFT PRESS RELEASE"),
    "press_note": (
        "Semua dugaan pelanggaran tetap dugaan sampai ada putusan.",
        "Every alleged violation remains alleged until it is decided.",
    ),
    "letter_attached": (
        "Buletin lengkap terlampir sebagai PDF.",
        "The whole bulletin is attached as PDF.",
    ),
    # method
    "method_title": ("Metode dan catatan", "Method and notes"),
    "method_week": (
        "Pekan adalah pekan ISO, Senin sampai Minggu, waktu Indonesia Barat (WIB). Sejak awal = "
        "sejak {first}; yang tercatat sebelum hari itu tidak dihitung, juga dalam pekan itu.",
        "A week is an ISO week, Monday to Sunday, Western Indonesia Time (WIB). To date = since "
        "{first}; what was recorded before that day does not count, nor in its week.",
    ),
    "method_before": (
        "Yang diterima atau dilakukan sebelum hari itu dimuat menurut kabupaten/kota dalam bab "
        "“{not_counted}”. Tenggat penanganan dihitung untuk semua kasus, kapan pun diterima.",
        "What was received or done before that day is listed by regency in the chapter "
        "“{not_counted}”. Handling deadlines count for every case, whenever it was received.",
    ),
    "method_case": (
        "Dugaan pelanggaran adalah laporan (LP) dan temuan (TM), dihitung pada pekan diterimanya. "
        "Semua masih dugaan sampai ada putusan.",
        "Alleged violations are reports (LP) and findings (TM), counted in the week of receipt. "
        "They remain alleged until decided.",
    ),
    "method_several": (
        "Satu kasus dapat memuat beberapa tema dan beberapa jenis pelanggaran; angka menurut tema "
        "atau jenis tidak boleh dijumlahkan menjadi jumlah kasus.",
        "A case may have several themes and several types; figures by theme or type must not be "
        "added up to cases.",
    ),
    "method_unknown": (
        "“Belum terpetakan” memuat kasus yang tempatnya tidak dapat dipastikan; jumlah semua baris "
        "sama dengan angka provinsi.",
        "“Place not known” holds cases whose place is not certain; all rows together equal the "
        "province.",
    ),
    "method_recap": (
        "Kegiatan kampanye dan pencegahan bersumber dari rekap kecamatan; rekap yang belum masuk "
        "membuat angka lebih rendah dari keadaan sebenarnya.",
        "Campaign events and prevention come from the districts' recaps; where recaps are missing, "
        "the figures are lower than what happened.",
    ),
    "method_log": (
        "Laporan hasil pengawasan (Formulir Model A) bukan angka tersendiri: kegiatan kampanye di "
        "dalamnya dihitung dari rekap, dan dugaan pelanggaran di dalamnya dihitung sejak menjadi "
        "temuan.",
        "A supervision log (Form A) is no figure of its own: its campaign event counts by the "
        "recap, and an alleged violation in it counts once it is adopted as a finding.",
    ),
    "method_zero": (
        "Angka 0 berarti tidak ada kejadian tercatat; n/a berarti data tidak tersedia.",
        "0 means that nothing was recorded; n/a means that the data are not available.",
    ),
    "method_frozen": (
        "Angka edisi ini beku. Perubahan yang diketahui kemudian dimuat dalam edisi berikutnya.",
        "The figures of this edition are frozen. Changes that become known are told in the next.",
    ),
    "method_names": (
        "Nama pelapor, saksi, dan terlapor tidak dimuat (Perbawaslu 10/2019 jo. 1/2022 Pasal 18 "
        "ayat (2)).",
        "Names of reporters, witnesses and accused are not published (Perbawaslu 10/2019 as "
        "amended by 1/2022, Article 18 (2)).",
    ),
    "about_frozen": ("Dibekukan {frozen_at}.", "Frozen {frozen_at}."),
    "about_hash": (
        "Sidik isi (SHA-256): {content_hash}.",
        "Hash of the content (SHA-256): {content_hash}.",
    ),
    "about_reviewed": (
        "Rancangan yang diperiksa: {count} berkas, sidik tiap berkas ada di metadata.json.",
        "Files of the draft that was reviewed: {count}; the hash of each is in metadata.json.",
    ),
    # units
    "unit_case": ("kasus", "case"),
    "unit_tip": ("informasi", "tip"),
    "unit_event": ("kegiatan", "event"),
    "unit_action": ("tindakan", "action"),
    "unit_district": ("kecamatan", "district"),
    # the data dictionary
    "dictionary_file": ("berkas", "file"),
    "dictionary_column": ("kolom", "column"),
    "dictionary_type": ("tipe", "type"),
    "dictionary_means": ("arti", "meaning"),
    "type_text": ("teks", "text"),
    "type_day": ("tanggal", "date"),
    "type_integer": ("bilangan bulat", "integer"),
    "type_number": ("bilangan desimal", "number"),
    "type_boolean": ("benar/salah", "boolean (benar = true, salah = false)"),
    "column.kode_angka": (
        "Kode angka; artinya di metadata.json, bagian angka",
        "Code of the figure; its meaning is in metadata.json under angka",
    ),
    "column.kode_kategori": (
        "Kode kategori angka itu; ALL bila tidak dirinci",
        "Code of the figure's category; ALL where it has none",
    ),
    "column.kategori": (
        "Nama kategori; kosong bila tidak dirinci",
        "Name of the category; empty where it has none (English: metadata.json)",
    ),
    "column.kode_kemendagri": (
        "Kode wilayah Kemendagri; 19 = provinsi, 19.00 = belum terpetakan",
        "Area code of Kemendagri; 19 = the province, 19.00 = place not known",
    ),
    "column.kode_bps": (
        "Kode wilayah BPS; kosong bila belum terpetakan",
        "Area code of BPS; empty where the place is not known",
    ),
    "column.wilayah": ("Nama wilayah", "Name of the area"),
    "column.periode": (
        "pekan, pekan_lalu, atau sejak_awal masa kampanye",
        "pekan = this week, pekan_lalu = last week, sejak_awal = since the campaign began",
    ),
    "column.mulai": ("Hari pertama periode (WIB)", "First day of the period (WIB)"),
    "column.selesai": ("Hari terakhir periode (WIB)", "Last day of the period (WIB)"),
    "column.nilai": (
        "Jumlah; 0 = tidak ada kejadian, kosong = data tidak tersedia",
        "Count; 0 = nothing happened, empty = not available",
    ),
    "column.pekan": ("Pekan ISO 8601, misalnya 2024-W47", "ISO 8601 week such as 2024-W47"),
    "tren.mulai": (
        "Hari pertama pekan itu yang dihitung (WIB)",
        "First day of that week that is counted (WIB)",
    ),
    "tren.nilai": (
        "Jumlah seluruh provinsi pada pekan itu",
        "Count of the whole province in that week",
    ),
    "column.pemilih": ("Pemilih dalam DPT Pilkada 2024", "Voters on the roll of Pilkada 2024"),
    "column.tps": ("Tempat pemungutan suara", "Polling stations"),
    "column.kode_kecamatan": (
        "Kode kecamatan Kemendagri; kosong bila belum terpetakan",
        "District code of Kemendagri; empty where the place is not known",
    ),
    "column.kecamatan": ("Nama kecamatan", "Name of the district"),
    "column.menyampaikan": (
        "Apakah rekap pekan ini sudah diterima",
        "Whether this week's recap was received",
    ),
    "column.rekap_terakhir": (
        "Pekan terbaru, sampai pekan ini, yang rekapnya sudah disampaikan; kosong = belum pernah",
        "Newest week, up to this one, of which a recap was delivered; empty where there was none",
    ),
    "column.kode_kelompok": ("Kode kelompok tema", "Code of the group of themes"),
    "column.kelompok": ("Nama kelompok tema", "Name of the group of themes"),
    "column.sejak_awal": (
        "Jumlah kiriman sampai akhir pekan ini, termasuk yang dari sebelum masa kampanye dan yang "
        "pekannya tidak diketahui",
        "Deliveries up to the end of this week, those from before the campaign and those whose "
        "week is not known included",
    ),
    "column.kode_jenis": (
        "LP laporan, TM temuan, IA informasi awal, LHP kegiatan kampanye, PREV pencegahan",
        "LP report, TM finding, IA tip, LHP campaign event, PREV prevention action",
    ),
    "column.jenis": ("Nama jenisnya", "Name of the kind (Indonesian)"),
    "sebelum-kampanye.jumlah": (
        "Yang diterima atau dilakukan sebelum hari pertama masa kampanye",
        "What was received or done before the campaign's first day",
    ),
    "column.sebelum_kampanye": (
        "Di antaranya tenggat kasus yang diterima sebelum hari pertama masa kampanye; kosong = "
        "tidak disebut",
        "Of these, deadlines of cases received before the campaign's first day; empty = not said",
    ),
    "column.pekan_pertama": ("Pekan ISO pertama yang dihitung", "First ISO week that is counted"),
    "column.pekan_terakhir": ("Pekan ISO terakhir yang dihitung", "Last ISO week that is counted"),
    "kecamatan.jumlah": (
        "Dugaan pelanggaran dengan tema dalam kelompok itu dalam pekan-pekan itu, tiap kasus "
        "sekali dalam satu kelompok; kosong bila disembunyikan",
        "Alleged violations with a theme of the group in those weeks, each case once in a group; "
        "empty where hidden",
    ),
    "column.disembunyikan": (
        "Angka kecil, atau pelengkapnya, tidak diterbitkan",
        "A small count, or its complement, that is not published",
    ),
    "column.kode_tenggat": ("Kode tenggat", "Code of the deadline"),
    "column.tenggat": ("Nama tenggat", "Name of the deadline"),
    "column.kode_keadaan": (
        "Kode keadaan tenggat pada keadaan data edisi",
        "Code of the deadline's state at the edition's as-of",
    ),
    "column.keadaan": ("Keadaan tenggat", "The deadline's state"),
    "column.jumlah": (
        "Jumlah tenggat; satu kasus dapat memiliki beberapa tenggat",
        "Number of deadlines; a case may have several",
    ),
    "column.kode_tema": ("Kode tema", "Code of the theme"),
    "column.tema": ("Nama tema", "Name of the theme"),
    "column.kasus": (
        "Laporan, temuan, dan informasi awal bertema itu sejak awal masa kampanye",
        "Reports, findings and tips with the theme since the campaign began",
    ),
    "column.kasus_bertema": (
        "Semua laporan, temuan, dan informasi awal bertema di wilayah itu",
        "All reports, findings and tips there that name a theme",
    ),
    "column.bagian_persen": (
        "Bagian tema itu, persen dari kasus_bertema",
        "Share of the theme, per cent of kasus_bertema",
    ),
    "column.bagian_provinsi_persen": ("Bagian yang sama di provinsi", "The same in the province"),
    "column.kali_provinsi": (
        "Bagian di wilayah dibagi bagian di provinsi (location quotient)",
        "Share there divided by share in the province (location quotient)",
    ),
    "column.batas_bawah": (
        "Batas bawah selang yang menentukan apakah tema itu menonjol; bukan selang kepercayaan "
        "dari kali_provinsi",
        "Lower end of the range that decides whether the theme stands out; no confidence "
        "interval of kali_provinsi",
    ),
    "column.batas_atas": (
        "Batas atas selang itu",
        "Upper end of that range",
    ),
    "column.menonjol": (
        f"Apakah tema itu menonjol di wilayah itu. {_STANDS_OUT[0]}",
        f"Whether the theme stands out there. {_STANDS_OUT[1]}",
    ),
    "column.empat_pekan": ("Kasus dalam empat pekan terakhir", "Cases in the last four weeks"),
    "column.empat_pekan_sebelumnya": (
        "Kasus dalam empat pekan sebelumnya; kosong sebelum delapan pekan kampanye berakhir",
        "Cases in the four weeks before; empty before eight campaign weeks have ended",
    ),
    "column.tren": (
        "naik, turun, tidak jelas berubah, atau belum cukup pekan. " + _TREND[0],
        "naik = rising, turun = falling, tidak jelas berubah = no clear change, belum cukup pekan "
        "= not enough weeks yet. " + _TREND[1],
    ),
    "column.pencegahan": (
        "Tindakan pencegahan di wilayah itu sejak awal, semua tema",
        "Prevention actions there to date, of any theme",
    ),
    "column.pencegahan_empat_pekan": (
        "Tindakan pencegahan di wilayah itu dalam empat pekan terakhir, semua tema",
        "Prevention actions there in the last four weeks, of any theme",
    ),
    "column.edisi": (
        "Edisi terbit yang angkanya berubah",
        "The published edition whose figure changed",
    ),
    "perubahan.periode": (
        "pekan atau sejak_awal, dari pekan edisi itu; atau pekan lain yang tidak punya edisi",
        "pekan = that edition's week, sejak_awal = up to it since the campaign began; or another "
        "week, which has no edition",
    ),
    "column.lama": ("Nilai dalam edisi itu", "Value in that edition"),
    "column.baru": ("Nilai sekarang", "Value now"),
    "column.terlambat": (
        "Perubahan karena kiriman yang masuk kemudian",
        "Change by deliveries that came later",
    ),
    "column.dikoreksi": (
        "Perubahan karena kiriman dikoreksi oleh sumbernya",
        "Change by deliveries that their source corrected",
    ),
    "column.ditarik": (
        "Perubahan karena kiriman ditarik oleh sumbernya",
        "Change by deliveries that their source withdrew",
    ),
    "column.dikode_ulang": (
        "Perubahan karena pembacaan atau kode diperbaiki",
        "Change because reading or coding was corrected",
    ),
    "column.status_berlanjut": (
        "Perubahan karena penanganan kasus berlanjut",
        "Change because the handling of cases went on",
    ),
    "column.disebut": (
        "Nilai yang disebut edisi sesudahnya; kosong = tidak disebut",
        "Value that an edition after it said; empty = none did",
    ),
    "column.sudah_dimuat": (
        "Sudah dimuat dalam edisi pekan sebelumnya",
        "Told in an edition of an earlier week",
    ),
    "column.kode_kanal": ("Kode kanal penerimaan", "Code of the intake channel"),
    "column.kanal": ("Nama kanal penerimaan", "Name of the intake channel"),
    "column.kode_alasan": ("Kode alasan tidak dihitung", "Code of why it is not counted"),
    "column.alasan": ("Alasan tidak dihitung", "Why it is not counted"),
    "column.pekan_ini": ("Jumlah kiriman pekan ini", "Deliveries this week"),
    # the portal
    "language_name": ("Bahasa Indonesia", "English"),
    "short_moment": ("{day} {hour}.{minute}\u00a0WIB", "{day}, {hour}:{minute}\u00a0WIB"),
    "skip": ("Langsung ke isi", "Skip to content"),
    "notice": ("Status data", "Status of the data"),
    "nav_main": ("Utama", "Main"),
    "nav_latest": ("Terbaru", "Latest"),
    "nav_places": ("Wilayah", "Areas"),
    "nav_themes": ("Tema", "Themes"),
    "nav_trends": ("Tren", "Trends"),
    "nav_archive": ("Arsip", "Archive"),
    "nav_downloads": ("Unduhan", "Downloads"),
    "nav_method": ("Metode", "Method"),
    "licence": ("Lisensi:", "Licence:"),
    "licensed": ("Data terbuka berlisensi", "Open data, licensed"),
    "feed": ("Umpan Atom", "Atom feed"),
    "feed_note": (
        "{feed} memberi tahu setiap edisi baru. Halaman ini tidak memakai kuki dan tidak memuat "
        "apa pun dari pihak lain.",
        "The {feed} tells of every new edition. This page uses no cookies and loads nothing from "
        "anyone else.",
    ),
    "feed_entry": ("{subtitle} (edisi {edition})", "{subtitle} (edition {edition})"),
    "empty_title": ("Belum ada edisi terbit", "No edition has been published yet"),
    "empty_text": (
        "Edisi pertama muncul di sini setelah disetujui.",
        "The first edition appears here once it is approved.",
    ),
    "measure_reports": ("Laporan diterima", "Reports received"),
    "measure_recaps": ("Rekap kecamatan", "District recaps"),
    "stat_no_recap": (
        "rekap pekan ini belum disampaikan",
        "this week's recap not delivered",
    ),
    "stat_previous": (
        "pekan lalu {previous} ({difference})",
        "last week {previous} ({difference})",
    ),
    "stat_of": ("dari {of} ({percent})", "of {of} ({percent})"),
    "stat_to_date": ("sejak awal {to_date}", "to date {to_date}"),
    "week_from": ("Pekan mulai", "Week from"),
    "according_to": ("Menurut", "According to"),
    "series_said": ("Pekan {week}, mulai {day}: {value}", "Week {week}, from {day}: {value}"),
    "series_title": ("Pekan {week}: {value}, {change}", "Week {week}: {value}, {change}"),
    "series_alt": (
        "Diagram kolom {name} tiap pekan; terendah {lowest}, tertinggi {highest}, pekan ini "
        "{value}. Semua angka ada di tabel data di bawahnya.",
        "Column chart of {name} by week; lowest {lowest}, highest {highest}, this week {value}. "
        "All numbers are in the table of data beneath.",
    ),
    "series_table": ("Tabel data", "Table of data"),
    "series_weekly": ("{name} tiap pekan", "{name} by week"),
    "filter_shown": ("{shown} dari {total} baris", "{shown} of {total} rows"),
    "filter_editions": ("Saring edisi", "Filter editions"),
    "filter_revisions": ("Saring perubahan", "Filter revisions"),
    "filter_places": ("Saring wilayah", "Filter areas"),
    "filter_themes": ("Saring tema", "Filter themes"),
    "filter_figures": ("Saring angka", "Filter figures"),
    "filter_definitions": ("Saring definisi", "Filter definitions"),
    "filter_columns": ("Saring kolom", "Filter columns"),
    "edition_in": ("edisi {edition}", "edition {edition}"),
    "revision": ("revisi {number}", "revision {number}"),
    "replaced_by": ("diganti {edition}", "replaced by {edition}"),
    "front_latest": ("Edisi terbaru", "Latest edition"),
    "front_get": ("Unduh edisi ini", "Download this edition"),
    "front_key": ("Angka kunci pekan ini", "Key figures of this week"),
    "front_where": ("Di mana dan kapan", "Where and when"),
    "front_themes": ("Tema yang tersering", "Most frequent themes"),
    "front_all_themes": ("Semua tema", "All themes"),
    "front_restated": (
        "Edisi ini menyatakan {count} angka pekan dalam edisi sebelumnya yang kini berbeda: "
        "{table}.",
        "Weekly figures of earlier editions that this edition restates: {count}; {table}.",
    ),
    "front_restated_table": (
        "angka lama, angka baru, dan sebabnya",
        "old value, new value and reason",
    ),
    "front_unchanged": (
        "Edisi yang sudah terbit tidak diubah.",
        "A published edition is never changed.",
    ),
    "front_earlier": ("Edisi sebelumnya", "Earlier editions"),
    "front_archive": ("Seluruh arsip", "Whole archive"),
    "front_first": ("Ini edisi pertama.", "This is the first edition."),
    "archive_title": ("Arsip edisi", "Archive of editions"),
    "archive_in": ("arsip", "archive"),
    "archive_lead": (
        "Semua edisi yang terbit, yang terbaru di atas. Edisi yang sudah terbit tidak diubah: "
        "pekan yang dihitung ulang terbit sebagai revisi baru, dan angka yang kemudian berbeda "
        "dinyatakan dalam edisi berikutnya.",
        "Every published edition, the newest first. A published edition is never changed: a week "
        "that is counted anew is published as a new revision, and figures that later differ are "
        "restated in the next edition.",
    ),
    "archive_count": ("{count} edisi", "Editions: {count}"),
    "archive_states": ("Menyatakan perubahan", "Restates"),
    "archive_changed": ("Angka yang kemudian berubah", "Figures changed later"),
    "archive_note": (
        "Menyatakan perubahan: angka pekan edisi terdahulu yang berbeda saat edisi itu dibekukan. "
        "Angka yang kemudian berubah: angka pekan edisi itu yang berbeda menurut edisi terbaru.",
        "Restates: weekly figures of earlier editions that differed when it was frozen. Figures "
        "changed later: its weekly figures that differ by the latest edition.",
    ),
    "files": ("Berkas", "Files"),
    "file": ("Berkas", "File"),
    "files_main": ("Berkas utama", "Main files"),
    "files_all": ("Semua berkas", "All files"),
    "files_count": ("{count} berkas", "Files: {count}"),
    "size": ("Ukuran", "Size"),
    "hash": ("Sidik (SHA-256)", "Hash (SHA-256)"),
    "short_pdf": ("siap cetak", "for print"),
    "short_html": ("satu berkas", "one file"),
    "short_xlsx": ("buku kerja", "workbook"),
    "short_csv": ("data terbuka", "open data"),
    "about_pdf": ("Buletin, siap cetak", "Bulletin, for print"),
    "about_part": ("Buletin, siap cetak: bagian {number}", "Bulletin, for print: part {number}"),
    "about_html": ("Buletin, satu berkas untuk layar", "Bulletin, one file for the screen"),
    "about_xlsx": ("Semua tabel sebagai buku kerja", "Every table as a workbook"),
    "about_csv": ("Semua angka edisi", "Every figure of the edition"),
    "about_press": ("Siaran pers", "Press release"),
    "about_json": ("Semua data terbuka sebagai JSON", "All open data as JSON"),
    "about_metadata": ("Metadata (Satu Data Indonesia)", "Metadata for Satu Data Indonesia"),
    "about_dictionary": ("Kamus data", "Data dictionary"),
    "about_in_id": ("{about} (bahasa Indonesia)", "{about} (in Indonesian)"),
    "about_in_en": ("{about} (bahasa Inggris)", "{about} (in English)"),
    "fact_as_of": ("Keadaan data", "Data as of"),
    "fact_frozen": ("Dibekukan", "Frozen"),
    "fact_status": ("Persetujuan", "Approval"),
    "fact_hash": ("Sidik isi (SHA-256)", "Hash of the content (SHA-256)"),
    "edition_replaced": (
        "Pekan ini dihitung ulang. Pakai {edition}; edisi di halaman ini tetap tersimpan "
        "sebagaimana terbit.",
        "This week was counted anew. Use {edition}; the edition on this page is kept as it was "
        "published.",
    ),
    "edition_files": ("Berkas edisi {edition}", "Files of edition {edition}"),
    "points_published": ("Ringkasan sebagaimana terbit", "Main points as published"),
    "stated_title": ("Perubahan yang dinyatakan edisi ini", "Revisions stated by this edition"),
    "stated_caption": (
        "{count} angka pekan dalam edisi sebelumnya berbeda saat edisi ini dibekukan",
        "Weekly figures of earlier editions that differed when this edition was frozen: {count}",
    ),
    "changed_title": (
        "Angka edisi ini yang kemudian berubah",
        "Figures of this edition that changed later",
    ),
    "changed_caption": (
        "{count} angka pekan berbeda menurut edisi {edition}",
        "Weekly figures that differ by edition {edition}: {count}",
    ),
    "changed_replaced": (
        "Perubahannya termuat dalam revisi penggantinya.",
        "The revision that replaces it has the changes.",
    ),
    "changed_none": ("Tidak ada menurut edisi {edition}.", "None by edition {edition}."),
    "revisions_rest": (
        "{count} perubahan lain ada di {file}.",
        "Further revisions, in {file}: {count}.",
    ),
    "places_title": ("Kabupaten dan kota", "Regencies and cities"),
    "places_caption": (
        "Dugaan pelanggaran dan kelengkapan penyampaian menurut kabupaten/kota",
        "Alleged violations and completeness of reporting by regency",
    ),
    "places_recaps": ("Kelengkapan pekan ini", "Completeness this week"),
    "places_weekly": ("Dugaan pelanggaran tiap pekan", "Alleged violations by week"),
    "places_scale": ("Semua gambar memakai skala yang sama.", "All pictures have the same scale."),
    "gaps_since": (
        "Angka wilayah tersedia mulai pekan {day}: dari edisi pekan itu, dikoreksi menurut "
        "pernyataan perubahan edisi terbaru.",
        "Figures of areas begin with the week of {day}: from the edition of each week, corrected "
        "by what the latest edition restates.",
    ),
    "gaps_line": (
        "Pekan yang tidak dimuat edisi mana pun ditandai garis.",
        "A week that no edition holds is marked with a dash.",
    ),
    "regency_figures": ("Angka utama dan kecamatan", "Main figures and districts"),
    "regency_themes_caption": (
        "{name}: dugaan pelanggaran menurut tema",
        "{name}: alleged violations by theme",
    ),
    "regency_restated": (
        "{count} angka pekan wilayah ini berbeda menurut edisi terbaru",
        "Weekly figures of this area that differ by the latest edition: {count}",
    ),
    "regency_restated_none": (
        "Tidak ada angka pekan wilayah ini yang berubah menurut edisi terbaru.",
        "No weekly figure of this area has changed by the latest edition.",
    ),
    "regency_others": ("Wilayah lain", "Other areas"),
    "themes_title": ("Tema dugaan pelanggaran", "Themes of alleged violations"),
    "themes_caption": (
        "Dugaan pelanggaran menurut tema, seluruh provinsi",
        "Alleged violations by theme, whole province",
    ),
    "themes_top": (
        "Dugaan pelanggaran menurut {count} tema tersering sejak awal masa kampanye",
        "Alleged violations by the {count} most frequent themes since the campaign began",
    ),
    "themes_none": (
        "Belum ada dugaan pelanggaran yang temanya tercatat.",
        "No alleged violation with a recorded theme yet.",
    ),
    "theme_title": ("Dugaan pelanggaran: {name}", "Alleged violations: {name}"),
    "theme_kicker": ("Dugaan pelanggaran bertema", "Alleged violations with the theme"),
    "theme_caption": (
        "Dugaan pelanggaran bertema “{name}”",
        "Alleged violations with the theme “{name}”",
    ),
    "theme_weekly": ("Seluruh provinsi, dari pekan ke pekan", "Whole province, week by week"),
    "theme_places": ("Menurut kabupaten/kota", "By regency"),
    "theme_others": ("Tema lain", "Other themes"),
    "trends_title": ("Dari pekan ke pekan", "Week by week"),
    "trends_meta": (
        "Seluruh provinsi menurut edisi {edition}",
        "Whole province by edition {edition}",
    ),
    "trends_lead": (
        "Semua pekan menurut keadaan data edisi terbaru, sehingga dapat berbeda dari angka yang "
        "dahulu terbit; setiap perbedaan dinyatakan di {archive}. Tanggal adalah hari pertama "
        "pekan itu.",
        "Every week as the latest edition knows it, which may differ from what was published "
        "then; each difference is stated in the {archive}. Dates are that week's first day.",
    ),
    "all_title": ("Semua angka", "All figures"),
    "all_caption": (
        "Semua angka provinsi, {count} pekan terakhir",
        "All figures of the province, last {count} weeks",
    ),
    "downloads_lead": (
        "Berkas setiap edisi tetap di alamatnya dan tidak pernah berubah; sidik SHA-256 "
        "membuktikannya. Arti tiap kolom ada di {dictionary}.",
        "The files of every edition stay at their address and never change; their SHA-256 proves "
        "it. What each column means is in the {dictionary}.",
    ),
    "downloads_latest": ("Edisi terbaru: {edition}", "Latest edition: {edition}"),
    "downloads_all": ("Semua edisi", "All editions"),
    "portal_method": ("Metode dan kamus data", "Method and data dictionary"),
    "method_valid": (
        "Sebagaimana berlaku dalam edisi {edition}",
        "As it holds in edition {edition}",
    ),
    "method_count": ("Cara menghitung", "How we count"),
    "method_small": (
        "Jumlah kecil di bawah tingkat kabupaten/kota (di atas 0 dan di bawah {threshold}) tidak "
        "diterbitkan, beserta jumlah lain yang dapat membukanya. Portal ini hanya memuat angka "
        "yang sudah ada dalam edisi terbit.",
        "Small counts below regency level (above 0 and below {threshold}) are not published, nor "
        "others that would give them away. This portal holds only figures of published editions.",
    ),
    "method_definitions": ("Definisi angka", "Definitions"),
    "method_definitions_caption": ("Apa yang dihitung setiap angka", "What each figure counts"),
    "unit": ("Satuan", "Unit"),
    "code": ("Kode", "Code"),
    "data_source": ("Sumber", "Source"),
    "data_type": ("Tipe", "Type"),
    "column": ("Kolom", "Column"),
    "meaning": ("Arti", "Meaning"),
    "dictionary": ("Kamus data", "Data dictionary"),
    "dictionary_in": ("kamus data", "data dictionary"),
    "dictionary_caption": ("Kolom berkas CSV dan kunci JSON", "Columns of CSV and keys of JSON"),
    "area_codes": ("Kode wilayah", "Area codes"),
    "area_codes_caption": ("Kode Kemendagri dan BPS", "Codes of Kemendagri and BPS"),
    "cite_title": ("Memeriksa dan mengutip", "To check and to cite"),
    "cite_hash": (
        "Sidik SHA-256 setiap berkas ada di halaman edisinya. Bandingkan dengan",
        "The SHA-256 of every file is on its edition's page. Compare it with",
    ),
    "cite": (
        "Kutipan: {publisher}, {title}, edisi {edition}.",
        "Citation: {publisher}, {title}, edition {edition}.",
    ),
    "cite_producer": (
        "Produsen data: {producer}. Walidata: {custodian}. Terbit {frequency}.",
        "Producer of the data: {producer}. Custodian: {custodian}. Published {frequency}.",
    ),
    # what those who work on an edition are told; never part of one
    "letter_ask": (
        "Mohon persetujuan: edisi {edition_id}",
        "Please approve: edition {edition_id}",
    ),
    "letter_remind": (
        "Pengingat: edisi {edition_id} menunggu persetujuan",
        "Reminder: edition {edition_id} waits for approval",
    ),
    "letter_answer": (
        "Jawaban diberikan di Airflow, halaman Required Actions.",
        "Answer in Airflow, on the page Required Actions.",
    ),
    "letter_gate": ("Pemeriksaan mutu:", "Quality checks:"),
    "letter_gate_passed": ("{count} pemeriksaan terpenuhi.", "Checks that hold: {count}."),
    "letter_gate_warned": (
        "Perlu perhatian: {check}. {cure} (penanggung jawab: {owner})",
        "Needs attention: {check}. {cure} (owner: {owner})",
    ),
    "letter_gate_waived": (
        "Dikecualikan oleh {by}: {check}. Alasan: {reason}",
        "Waived by {by}: {check}. Reason: {reason}",
    ),
    "letter_draft": ("Rancangan lengkap:", "The whole draft:"),
    "letter_beside": (
        "(berkas lain di folder yang sama).",
        "(other files in the same folder).",
    ),
    "letter_comment": (
        "Alasan, bila ditolak; disimpan bersama keputusan",
        "Reason, where rejected; kept with the decision",
    ),
    "letter_failed": ("Gagal: {task}", "Failed: {task}"),
    "letter_rejected": ("Edisi {edition_id} ditolak", "Edition {edition_id} was rejected"),
    "letter_rejected_text": (
        "{by} menolak edisi {edition_id}: {comment}\n\nPerbaiki sebabnya, lalu jalankan DAG "
        "publication untuk pekan {week_id}: rancangan baru menjadi revisi berikutnya.",
        "{by} rejected edition {edition_id}: {comment}\n\nMend the cause, then run the DAG "
        "publication for week {week_id}: a new draft becomes the next revision.",
    ),
    "letter_no_comment": ("tanpa alasan", "without a reason"),
    # why a delivery is not counted, for readers of English; Indonesian has its owner's own words
    "reason_required_field_missing": ("Isian wajib tidak ada", "A required field is missing"),
    "reason_key_repeated": (
        "Nomor yang sama dengan isi lain",
        "The same number again with other content",
    ),
    "reason_unreadable_date": ("Tanggal tidak terbaca", "The date cannot be read"),
    "reason_header_not_found": ("Judul kolom tidak ditemukan", "The column heads were not found"),
    "reason_unreadable_file": ("Berkas tidak terbaca", "The file cannot be read"),
    "reason_unsafe_archive": ("Arsip tidak aman", "The archive is not safe to open"),
    "reason_not_a_chat": ("Bukan ekspor percakapan", "No chat export"),
    "reason_too_large": ("Terlalu besar", "Too large"),
    "reason_unusable_source_id": ("Penanda kiriman tidak dapat dipakai", "Its id cannot be used"),
    "reason_bad_signature": ("Tanda tangan salah", "Its signature is wrong"),
    "reason_unreadable_message": ("Pesan tidak terbaca", "The message cannot be read"),
    "reason_not_a_form": ("Bukan formulir", "No form"),
    "reason_encrypted": ("Terenkripsi", "Encrypted"),
    "reason_blurred_time": ("Waktu tidak pasti", "Its time is not certain"),
    "reason_implausible_date": ("Tanggal tidak masuk akal", "Its date is not plausible"),
    "reason_doubtful_message": ("Pesan yang meragukan", "A message that is in doubt"),
    "reason_stray_cells": ("Sel jauh di luar tabel", "Cells far outside of a table"),
    "reason_broken_row": ("Baris berkas CSV rusak", "A row of a CSV file is broken"),
    "reason_cut_off": ("Berkas terpotong", "The file is cut off"),
    "reason_other": ("Alasan lain", "Another reason"),
}
