// What a page needs to be the same on the site and in the repository: anchors, links, words to search for.
import { posix } from 'node:path'

// slug is the anchor that GitHub gives a heading; docs_test.go goes by the same rule.
export function slug(heading: string): string {
  return heading.trim().toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replace(/ /g, '-')
}

// repositoryLink leads out of docs/, where the site has no page, to the repository.
export function repositoryLink(href: string, page: string, repository: string): string {
  if (/^([a-z]+:|#|\/)/i.test(href)) return href
  const target = posix.join(posix.dirname(page), href)
  return target.startsWith('docs/') ? href : `${repository}/blob/main/${target}`
}

// foreignHosts are the addresses of other hosts from which a page loads something by itself; links are not among them.
export function foreignHosts(html: string): string[] {
  return [...html.matchAll(/<(?:script|link|img|iframe|source)\b[^>]*?\b(?:src|href)="((?:https?:)?\/\/[^"]*)"/g)].map((found) => found[1])
}

// inlineHtml keeps line breaks and drops comments; anything else is shown as it is written.
export function inlineHtml(html: string): string {
  if (/^<br ?\/?>$/.test(html)) return '<br>'
  return html.startsWith('<!--') ? '' : html.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
}

// words are what the search index holds of a text, and of a query: words, and of Chinese, which has no spaces, each two
// characters that follow each other. It is sent to browsers as it stands here, so it uses nothing else of this file.
export function words(text: string): string[] {
  return (text.toLowerCase().match(/\p{Script=Han}+|[^\s\p{P}\p{S}\p{Script=Han}]+/gu) ?? []).flatMap((word) => {
    if (!/\p{Script=Han}/u.test(word) || word.length < 3) return [word]
    return Array.from({ length: word.length - 1 }, (_, i) => word.slice(i, i + 2))
  })
}
