// The documents' site: docs/ as it is, with navigation and a local search, in English and Chinese. What is read on the site is
// read in the repository too, so that pages are plain Markdown with relative links.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, posix, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig, type DefaultTheme } from 'vitepress'
import { foreignHosts, inlineHtml, repositoryLink, slug, words } from './pages'
import { groups } from './groups'

const site = dirname(dirname(fileURLToPath(import.meta.url)))
const root = resolve(site, '../..')
const docs = join(root, 'docs')
const repository = 'https://github.com/hanse-io/hanse'

type Language = 'en' | 'zh'

// title is a page's first heading, of the language's page or of the English one where there is no other.
function title(file: string): string {
  const found = /^# (.+)$/m.exec(readFileSync(file, 'utf8'))
  if (!found) throw new Error(`${relative(root, file)} has no first heading`)
  return found[1].replace(/`/g, '')
}

// sidebar has the pages that exist. A page without a Chinese twin is linked in English.
function sidebar(language: Language): DefaultTheme.SidebarItem[] {
  const named = groups.flatMap((group) => group.pages)
  const inFolder = (folder: string) => existsSync(join(docs, folder))
    ? readdirSync(join(docs, folder)).filter((file) => file.endsWith('.md')).map((file) => posix.join(folder, file.slice(0, -3))).filter((page) => !named.includes(page)).sort()
    : []
  return groups.map((group) => ({
    text: group.title[language],
    collapsed: group.folder ? true : undefined,
    items: [...group.pages, ...group.folder === undefined ? [] : inFolder(group.folder)].flatMap((page) => {
      const path = language === 'zh' && existsSync(join(docs, 'zh', `${page}.md`)) ? `zh/${page}` : page
      const file = join(docs, `${path}.md`)
      return existsSync(file) ? [{ text: title(file), link: `/${path}` }] : []
    }),
  })).filter((group) => group.items.length > 0)
}

const zhSearch = {
  button: { buttonText: '搜索', buttonAriaLabel: '搜索' },
  modal: {
    displayDetails: '显示详情', resetButtonTitle: '清除', backButtonTitle: '关闭', noResultsText: '没有结果：',
    footer: { selectText: '打开', navigateText: '移动', closeText: '关闭' },
  },
}

export default defineConfig({
  title: 'Hanse',
  srcDir: '../../docs',
  outDir: '../../dist/site',
  cacheDir: './node_modules/.cache/vitepress',
  base: process.env.DOCS_BASE ?? '/',
  cleanUrls: false,
  metaChunk: true,
  vite: {
    // Pages lie outside of this folder, and import Vue from here.
    resolve: { alias: [{ find: /^vue$/, replacement: join(site, 'node_modules/vue') }, { find: /^vue\/server-renderer$/, replacement: join(site, 'node_modules/vue/server-renderer') }] },
    server: { fs: { allow: [root] } },
  },
  markdown: {
    anchor: { slugify: slug },
    config(md) {
      const base = md.renderer.rules.link_open!
      md.renderer.rules.link_open = (tokens, i, options, env, self) => {
        const href = tokens[i].attrGet('href')
        if (href) tokens[i].attrSet('href', repositoryLink(href, posix.join('docs', env.relativePath), repository))
        return base(tokens, i, options, env, self)
      }
      // Pages are Markdown and no Vue templates: what looks like an element or an expression is text, but for line breaks.
      md.renderer.rules.html_block = () => ''
      md.renderer.rules.html_inline = (tokens, i) => inlineHtml(tokens[i].content)
      md.renderer.rules.text = (tokens, i) => md.utils.escapeHtml(tokens[i].content).replace(/\{\{/g, '&#123;&#123;')
    },
  },
  // Nothing is loaded from elsewhere when a page is read.
  transformHtml(html, id) {
    const foreign = foreignHosts(html)
    if (foreign.length > 0) throw new Error(`${id} loads from other hosts: ${foreign.join(', ')}`)
  },
  locales: {
    root: {
      label: 'English', lang: 'en',
      description: 'Consortium blockchains over Kubernetes clusters that belong to different organizations',
      themeConfig: { sidebar: sidebar('en') },
    },
    zh: {
      label: '中文', lang: 'zh-CN',
      description: '在分属不同组织的 Kubernetes 集群之上运行联盟链',
      themeConfig: {
        sidebar: sidebar('zh'),
        outline: { level: [2, 3], label: '本页' },
        docFooter: { prev: '上一页', next: '下一页' },
        darkModeSwitchLabel: '主题', sidebarMenuLabel: '目录', returnToTopLabel: '回到顶部', langMenuLabel: '语言',
      },
    },
  },
  themeConfig: {
    outline: { level: [2, 3] },
    socialLinks: [{ icon: 'github', link: repository }],
    search: {
      provider: 'local',
      options: { locales: { zh: { translations: zhSearch } }, miniSearch: { options: { tokenize: words } } },
    },
  },
})
