// The navigation: groups in order, with their pages below docs/, or a folder of pages. A page that does not exist is left out, and
// one that no group has is in the last one.
export interface Group {
  title: { en: string, zh: string }
  pages: string[]
  folder?: string
}

export const groups: Group[] = [
  { title: { en: 'Begin', zh: '入门' }, pages: ['index', 'quickstart', 'concepts', 'features'] },
  {
    title: { en: 'Tasks', zh: '任务' },
    pages: ['tasks/invite', 'tasks/lines', 'tasks/contracts', 'tasks/upgrade', 'tasks/renew', 'tasks/remove', 'applications', 'gitops', 'releases'],
  },
  { title: { en: 'Operating', zh: '运维' }, pages: ['operating', 'monitoring', 'troubleshooting', 'diagnostics', 'governance'] },
  { title: { en: 'Runbooks', zh: '处置手册' }, pages: [], folder: 'runbooks' },
  { title: { en: 'Reference', zh: '参考' }, pages: ['api', 'settings', 'plugin', 'metrics', 'benchmarks'] },
  { title: { en: 'More', zh: '更多' }, pages: [], folder: '' },
]
