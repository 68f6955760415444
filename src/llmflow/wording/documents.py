"""Why a document could not be read, and what to do about it. English and Korean by code, with the same number of sentences."""

from collections.abc import Mapping

DOCUMENTS: Mapping[str, tuple[str, str]] = {
    "file.empty": (
        "The file is empty. Add its content and retry.",
        "파일이 비어 있습니다. 내용을 넣고 다시 올려 주세요.",
    ),
    "file.too_large": (
        "The file has {size} MiB; at most {most} MiB are read. Split it, or raise max_bytes in the parser settings.",
        "파일이 {size} MiB입니다; {most} MiB까지 읽습니다. 나누어 올리거나 파서 설정의 max_bytes를 올려 주세요.",
    ),
    "document.too_long": (
        "The document has at least {count} characters; at most {most} are read. Split it, or raise max_characters "
        "in the parser settings.",
        "문서가 {count}자 이상입니다; {most}자까지 읽습니다. 나누어 올리거나 파서 설정의 max_characters를 올려 주세요.",
    ),
    "document.too_many_rows": (
        "The document has more than {most} rows. Split it, or raise max_records in the parser settings.",
        "문서가 {most}행을 넘습니다. 나누어 올리거나 파서 설정의 max_records를 올려 주세요.",
    ),
    "document.too_many_pages": (
        "The document has {count} pages; at most {most} are read. Split it, or raise max_pages in the parser settings.",
        "문서가 {count}쪽입니다; {most}쪽까지 읽습니다. 나누어 올리거나 파서 설정의 max_pages를 올려 주세요.",
    ),
    "document.password": (
        "The document is protected by a password. Remove the password in its application and retry.",
        "문서에 암호가 걸려 있습니다. 만든 프로그램에서 암호를 풀고 다시 올려 주세요.",
    ),
    "archive.too_many_parts": (
        "The archive holds {count} parts; at most {most} are read.",
        "압축된 파일에 항목이 {count}개 있습니다; {most}개까지 읽습니다.",
    ),
    "archive.bomb": (
        "The archive unpacks to {size} MiB, {times} times its size, as a zip bomb does. At most {most} MiB and "
        "{ratio} times are read.",
        "압축을 풀면 {size} MiB로 원래 크기의 {times}배가 되어 압축 폭탄처럼 보입니다. {most} MiB, {ratio}배까지 읽습니다.",
    ),
    "archive.damaged": (
        "The archive is damaged ({reason}). Open it in its application, save it again and retry.",
        "압축된 파일이 손상되었습니다({reason}). 만든 프로그램에서 열어 다시 저장한 뒤 올려 주세요.",
    ),
    "picture.ocr_off": (
        "The file is a picture and OCR is switched off. Switch `ocr` on in the parser settings and retry.",
        "그림 파일인데 글자 인식(OCR)이 꺼져 있습니다. 파서 설정에서 `ocr`을 켜고 다시 올려 주세요.",
    ),
    "picture.no_text": (
        "No text was recognised in the picture. Check that it holds text and is sharp, upright and large enough.",
        "그림에서 글자를 찾지 못했습니다. 글자가 있는지, 선명하고 바르고 충분히 큰지 확인해 주세요.",
    ),
    "ocr.missing": (
        "Pictures and scanned pages are read by Tesseract, which is not installed. {install}",
        "그림과 스캔한 쪽은 Tesseract로 읽는데 설치되어 있지 않습니다. tesseract-ocr, tesseract-ocr-kor 패키지(다른 "
        "언어는 tesseract-ocr-XXX)를 "
        "설치해 주세요.",
    ),
    "ocr.failed": (
        "Tesseract cannot read the picture ({reason}). Save it again as PNG and retry.",
        "Tesseract가 그림을 읽지 못합니다({reason}). PNG로 다시 저장해 올려 주세요.",
    ),
    "picture.damaged": (
        "The picture is damaged ({reason}). Save it again as PNG and retry.",
        "그림이 손상되었습니다({reason}). PNG로 다시 저장해 올려 주세요.",
    ),
    "ocr.too_slow": (
        "Reading one page by OCR took longer than {seconds} s. Raise ocr_page_seconds or scale it down.",
        "한 쪽을 글자 인식(OCR)으로 읽는 데 {seconds}초를 넘겼습니다. ocr_page_seconds를 올리거나 크기를 줄여 주세요.",
    ),
    "ocr.languages": (
        "Tesseract lacks the languages {languages}. {install}",
        "Tesseract에 {languages} 언어가 없습니다. tesseract-ocr, tesseract-ocr-kor 패키지(다른 언어는 "
        "tesseract-ocr-XXX)를 설치해 "
        "주세요.",
    ),
    "picture.too_large": (
        "The picture has {width} x {height} pixels; at most {most} in all are read. Scale it down.",
        "그림이 {width} x {height} 화소입니다; 모두 {most} 화소까지 읽습니다. 크기를 줄여 주세요.",
    ),
    "json.too_deep": (
        "The JSON is nested deeper than {levels} levels. Flatten it and retry.",
        "JSON이 {levels}단계보다 깊이 겹쳐 있습니다. 단계를 줄이고 다시 올려 주세요.",
    ),
    "csv.malformed": (
        "The table cannot be read as CSV ({reason}). Check its quotes and delimiters and retry.",
        "표를 CSV로 읽을 수 없습니다({reason}). 따옴표와 구분자를 확인하고 다시 올려 주세요.",
    ),
    "json.malformed": (
        "The JSON is malformed on line {line}: {reason}. Correct that line and retry.",
        "JSON의 {line}번째 줄이 잘못되었습니다: {reason}. 그 줄을 고치고 다시 올려 주세요.",
    ),
    "document.pictures_only": (
        "The {format} file holds no readable text. If its text stands in pictures, save it as PDF and retry: pages without "
        "text are read by OCR.",
        "{format} 파일에 읽을 수 있는 글이 없습니다. 글이 그림 속에 있으면 PDF로 저장해 다시 올려 주세요: 글이 없는 쪽은 "
        "글자 인식(OCR)으로 읽습니다.",
    ),
    "document.nothing_to_read": (
        "The {format} file holds no readable text. Add text and retry.",
        "{format} 파일에 읽을 수 있는 글이 없습니다. 글을 넣고 다시 올려 주세요.",
    ),
    "document.too_deep": (
        "The document is nested too deeply to be read. Flatten it and retry.",
        "문서가 너무 깊이 겹쳐 있어 읽을 수 없습니다. 단계를 줄이고 다시 올려 주세요.",
    ),
    "document.memory": (
        "The document needs more memory than a worker may use. Split it and retry.",
        "문서를 읽는 데 허용된 것보다 많은 메모리가 필요합니다. 나누어 다시 올려 주세요.",
    ),
    "mail.too_deep": (
        "Mails are nested deeper than {levels} levels. Save the inner mail as a file of its own.",
        "메일이 {levels}단계보다 깊이 겹쳐 있습니다. 안쪽 메일을 따로 저장해 올려 주세요.",
    ),
    "mail.encrypted": (
        "The mail is encrypted. Decrypt it in the mail program, save it again and retry.",
        "메일이 암호화되어 있습니다. 메일 프로그램에서 암호를 풀고 다시 저장해 올려 주세요.",
    ),
    "mail.damaged": (
        "The mail is damaged ({reason}). Save it again in the mail program and retry.",
        "메일이 손상되었습니다({reason}). 메일 프로그램에서 다시 저장해 올려 주세요.",
    ),
    "office.damaged": (
        "The {application} file is damaged ({reason}). Open it in its application, save it again and retry.",
        "{application} 파일이 손상되었습니다({reason}). 만든 프로그램에서 열어 다시 저장한 뒤 올려 주세요.",
    ),
    "office.missing": (
        "{source} files are read through LibreOffice, which is not installed. Save the file as {target} and "
        "retry, or install the package libreoffice-core with libreoffice-writer and libreoffice-impress.",
        "{source} 파일은 LibreOffice로 읽는데 설치되어 있지 않습니다. {target}(으)로 저장해 다시 올리거나 libreoffice-core와 "
        "libreoffice-writer, libreoffice-impress 패키지를 설치해 주세요.",
    ),
    "office.failed": (
        "LibreOffice cannot read the {source} file. Save it as {target} and retry.",
        "LibreOffice가 {source} 파일을 읽지 못합니다. {target}(으)로 저장해 다시 올려 주세요.",
    ),
    "office.too_slow": (
        "LibreOffice needed longer than {seconds} s. Save the file as {target} and retry.",
        "LibreOffice가 {seconds}초를 넘겼습니다. {target}(으)로 저장해 다시 올려 주세요.",
    ),
    "excel.damaged": (
        "The Excel file is damaged ({reason}). Open it in Excel, save it again and retry.",
        "Excel 파일이 손상되었습니다({reason}). Excel에서 열어 다시 저장한 뒤 올려 주세요.",
    ),
    "excel.password": (
        "The workbook is protected by a password. Remove the password in Excel and retry.",
        "통합 문서에 암호가 걸려 있습니다. Excel에서 암호를 풀고 다시 올려 주세요.",
    ),
    "xml.malformed": (
        "The XML is malformed ({reason}). Correct it and retry.",
        "XML이 잘못되었습니다({reason}). 고치고 다시 올려 주세요.",
    ),
    "convert.damaged": (
        "The {source} document is damaged ({reason}). Save it again in its application and retry.",
        "{source} 문서가 손상되었습니다({reason}). 만든 프로그램에서 다시 저장해 올려 주세요.",
    ),
    "pandoc.missing": (
        "pandoc is missing. Install it with `pip install pypandoc-binary`.",
        "pandoc이 없습니다. `pip install pypandoc-binary`로 설치해 주세요.",
    ),
    "convert.too_slow": (
        "Reading the {source} document took longer than {seconds} s. Split it, or raise converter_seconds in the "
        "parser settings.",
        "{source} 문서를 읽는 데 {seconds}초를 넘겼습니다. 나누어 올리거나 파서 설정의 converter_seconds를 올려 주세요.",
    ),
    "kind.zip": (
        "ZIP archives are not read. Unpack it and add the files one by one; allowed are {kinds}.",
        "ZIP 파일은 읽지 않습니다. 압축을 풀어 하나씩 올려 주세요; {kinds} 형식을 받습니다.",
    ),
    "kind.office": (
        "The file is an Office container of an unknown kind. Allowed are {kinds}.",
        "알 수 없는 종류의 Office 파일입니다. {kinds} 형식을 받습니다.",
    ),
    "kind.binary": (
        "'{name}' is a binary file of an unknown kind. Allowed are {kinds}. Convert it to one of them.",
        "'{name}'은(는) 알 수 없는 종류의 이진 파일입니다. {kinds} 형식을 받습니다. 그중 하나로 바꾸어 주세요.",
    ),
    "kind.opendocument": (
        "OpenDocument sheets and slides are not read. Save the file as XLSX, PPTX or PDF and retry.",
        "OpenDocument 표와 슬라이드는 읽지 않습니다. XLSX, PPTX 또는 PDF로 저장해 다시 올려 주세요.",
    ),
    "kind.hwpx": (
        "HWPX documents are not read. Save the file as DOCX or PDF in Hangul Office and retry.",
        "HWPX 문서는 읽지 않습니다. 한글에서 DOCX나 PDF로 저장해 다시 올려 주세요.",
    ),
    "kind.hwp": (
        "HWP documents are not read. Save the file as DOCX or PDF in Hangul Office and retry.",
        "HWP 문서는 읽지 않습니다. 한글에서 DOCX나 PDF로 저장해 다시 올려 주세요.",
    ),
    "office.container_damaged": (
        "The Office file is damaged ({reason}). Open it in its application, save it again and retry.",
        "Office 파일이 손상되었습니다({reason}). 만든 프로그램에서 열어 다시 저장한 뒤 올려 주세요.",
    ),
    "html.too_deep": (
        "The page is nested deeper than 2,048 levels. Flatten it and retry.",
        "웹 페이지가 2,048단계보다 깊이 겹쳐 있습니다. 단계를 줄이고 다시 올려 주세요.",
    ),
    "pdf.ocr_off": (
        "{count} scanned pages were left out: OCR is switched off. Switch `ocr` on in the parser settings.",
        "스캔한 {count}쪽을 읽지 않았습니다: 글자 인식(OCR)이 꺼져 있습니다. 파서 설정에서 `ocr`을 켜 주세요.",
    ),
    "pdf.too_many_scans": (
        "The PDF has {count} scanned pages; at most {most} are read by OCR. Split it, or raise max_ocr_pages in "
        "the parser settings.",
        "PDF에 스캔한 쪽이 {count}쪽 있습니다; 글자 인식(OCR)으로는 {most}쪽까지 읽습니다. 나누어 올리거나 파서 설정의 "
        "max_ocr_pages를 올려 "
        "주세요.",
    ),
    "pdf.damaged": (
        "The PDF is damaged ({reason}). Open it in its application, save or print it to PDF again and retry.",
        "PDF가 손상되었습니다({reason}). 만든 프로그램에서 열어 다시 저장하거나 PDF로 인쇄한 뒤 올려 주세요.",
    ),
    "pdf.no_text": (
        "The PDF holds only pictures without recognisable text. Scan it again, sharper.",
        "PDF에 읽을 수 있는 글자 없이 그림만 있습니다. 더 선명하게 다시 스캔해 주세요.",
    ),
    "pdf.password": (
        "The PDF is protected by a password. Remove the password and retry.",
        "PDF에 암호가 걸려 있습니다. 암호를 풀고 다시 올려 주세요.",
    ),
    "pdf.scans_left_out": (
        "{count} scanned pages were left out. {reason}",
        "스캔한 {count}쪽을 읽지 않았습니다. {reason}",
    ),
    "document.no_text": (
        "{source} holds no text that could be searched. Add text, or turn on OCR for scanned pages.",
        "{source}에 찾을 수 있는 글이 없습니다. 글을 넣거나, 스캔한 쪽이면 글자 인식(OCR)을 켜 주세요.",
    ),
    "document.speaks_to_models": (
        "{source} speaks to an AI instead of its readers, and too little else is left: nothing of it is served. If it is "
        "meant for readers, an administrator can release it under Documents in the dashboard.",
        "{source}에 읽는 사람이 아니라 AI를 향한 글이 있고 그 밖에 남는 내용이 너무 적어 찾을 수 없게 두었습니다. "
        "사람을 위한 문서라면 관리자가 관리 화면의 문서에서 풀어 줄 수 있습니다.",
    ),
    "document.own_speaks_to_models": (
        "{source} speaks to an AI instead of its readers, and too little else is left: nothing of it is served. Take out "
        "what is addressed to the AI, and upload it again.",
        "{source}에 읽는 사람이 아니라 AI를 향한 글이 있고 그 밖에 남는 내용이 너무 적어 찾을 수 없게 두었습니다. "
        "AI에게 하는 말을 빼고 다시 올려 주세요.",
    ),
    "release.own": (
        "The document lies in somebody's own space, where nobody else can look at it: it cannot be released. Have it uploaded "
        "for a group, and release it there.",
        "개인 공간의 문서는 다른 사람이 볼 수 없으므로 풀 수 없습니다. 그룹 문서로 올린 뒤에 풀어 주세요.",
    ),
    "release.nothing": (
        "Nothing was left out of the document: there is nothing to release.",
        "문서에서 뺀 것이 없습니다: 풀 것이 없습니다.",
    ),
    "release.being_read": (
        "The document is being read. Wait until its job has ended, and look at what was found.",
        "문서를 읽고 있습니다. 작업이 끝난 뒤에 찾은 것을 살펴보세요.",
    ),
    "release.changed": (
        "The document holds something else by now. Look at it again, then release it.",
        "그사이 문서의 내용이 바뀌었습니다. 다시 살펴본 뒤에 풀어 주세요.",
    ),
    "worker.memory": (
        "The document needs more memory than a worker may use. Split it, or raise the memory limit of the workers.",
        "문서를 읽는 데 작업 프로세스에 허용된 것보다 많은 메모리가 필요합니다. 나누어 올리거나 메모리 한도를 올려 주세요.",
    ),
    "worker.failed": (
        "The document cannot be read ({kind}: {reason}). Save it again in its application and retry.",
        "문서를 읽을 수 없습니다({kind}: {reason}). 만든 프로그램에서 다시 저장해 올려 주세요.",
    ),
    "worker.too_slow": (
        "Reading took longer than {seconds} s. Split the document, or raise the time limit of the workers.",
        "문서를 읽는 데 {seconds}초를 넘겼습니다. 나누어 올리거나 시간 한도를 올려 주세요.",
    ),
    "worker.died_of_memory": (
        "The worker died while reading it ({how}). It may have needed more than {memory} GiB of memory. Save the document "
        "again in its application, or split it.",
        "문서를 읽던 작업 프로세스가 끝나 버렸습니다({how}). 메모리가 {memory} GiB보다 많이 필요했을 수 있습니다. 만든 "
        "프로그램에서 다시 저장하거나 나누어 올려 주세요.",
    ),
    "worker.died": (
        "The worker died while reading it ({how}). Save the document again in its application, or split it.",
        "문서를 읽던 작업 프로세스가 끝나 버렸습니다({how}). 만든 프로그램에서 다시 저장하거나 나누어 올려 주세요.",
    ),
    "worker.no_reason": (
        "It failed without a reason.",
        "까닭을 남기지 않고 실패했습니다.",
    ),
    "document.searchable": (
        "{count} passages can be searched.",
        "구절 {count}개를 검색할 수 있습니다.",
    ),
    "document.searchable_but": (
        "{count} passages can be searched. Parts of {left} passages speak to the AI and are left out.",
        "구절 {count}개를 검색할 수 있습니다. 이 문서의 구절 {left}개에 AI를 향한 지시가 있어 그 부분을 뺐습니다.",
    ),
    "document.original_gone": (
        "The original of {source} is not kept any more. Upload it again, or delete the document.",
        "{source}의 원본이 더는 없습니다. 다시 올리거나 문서를 지워 주세요.",
    ),
}
